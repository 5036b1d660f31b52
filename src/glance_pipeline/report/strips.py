"""Effect strips as the page shows them: texts under each picture, and where its slider starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.result.explanation import EffectStrip
from glance_pipeline.explanations.result.pictures import side_by_side
from glance_pipeline.explanations.result.values import format_at, with_unit
from glance_pipeline.report.pictures import Album


@dataclass(frozen=True)
class Frame:
    """One picture of a strip: value under it, figure of the answer, answer, whether it is another.

    The figure is the probability of what the image is explained for; of a number, the number.
    """

    value: str
    figure: str
    class_name: str
    other: bool


@dataclass(frozen=True)
class Strip:
    """One concept's pictures side by side.

    Attributes:
        concept: its name.
        node: the graph's node it belongs to: itself, or of a level its categorical feature.
        unit: unit of the values.
        is_probability: whether they are of a binary feature or a level.
        own: the image's own value, with its unit.
        start: number of the frame whose value is nearest to it.
        uri: all pictures in a row.
        frames: what is said of each.
    """

    concept: str
    node: str
    unit: str
    is_probability: bool
    own: str
    start: int
    uri: str
    frames: tuple[Frame, ...]


def strip_on_page(strip: EffectStrip, explanation: Explanation, album: Album) -> Strip:
    """Prepare one strip of an explanation for the page."""
    own = next(concept for concept in explanation.concepts if concept.name == strip.concept)
    step = strip.values[1] - strip.values[0]
    away = [abs(value - own.value) for value in strip.values]
    return Strip(
        concept=strip.concept,
        node=own.feature or strip.concept,
        unit=strip.unit,
        is_probability=strip.is_probability,
        own=with_unit(format_at(own.value, step), own.unit, own.is_probability),
        start=away.index(min(away)),
        uri=album.strip(side_by_side(strip.pictures)),
        frames=tuple(
            Frame(
                format_at(value, step),
                figure,
                class_name,
                not strip.numbers and class_name != explanation.prediction.class_name,
            )
            for value, figure, class_name in zip(
                strip.values, _figures(strip), strip.class_names, strict=True
            )
        ),
    )


def _figures(strip: EffectStrip) -> list[str]:
    """Write the probability, or the number, under each picture."""
    if not strip.numbers:
        return [f"{probability:.2f}" for probability in strip.probabilities]
    step = (max(strip.numbers) - min(strip.numbers)) / max(len(strip.numbers) - 1, 1)
    return [f"{format_at(number, step)} {strip.number_unit}".rstrip() for number in strip.numbers]


def figure_in_words(explanation: Explanation) -> str:
    """Say what the figure under a picture is of."""
    if explanation.prediction.kind == "values":
        return explanation.importances.class_name
    return f"probability of {explanation.importances.class_name}"


def slider_texts(strips: Sequence[Strip]) -> list[dict[str, Any]]:
    """Return what the sliders of one card say, JSON-able.

    Of each frame value, figure, and the answer where it is another than the image's: a page has
    thousands of frames.
    """
    return [
        {
            "concept": strip.concept,
            "frames": [
                [
                    with_unit(frame.value, strip.unit, strip.is_probability),
                    frame.figure,
                    *([frame.class_name] if frame.other else []),
                ]
                for frame in strip.frames
            ],
        }
        for strip in strips
    ]

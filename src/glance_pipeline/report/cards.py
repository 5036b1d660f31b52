"""One explanation as the page shows it: texts, bar widths and embedded pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.explanation import (
    Counterfactual,
    EffectStrip,
    Importance,
    side_by_side,
)
from glance_pipeline.explanations.values import (
    format_at,
    format_logits,
    format_pair,
    with_unit,
)
from glance_pipeline.report.pictures import difference_uri, picture_uri

STRIPS_IN_VIEW = 3
"""Effect strips shown at once; the rest fold away."""


@dataclass(frozen=True)
class Bar:
    """One concept's contribution: a bar from the middle to the left or the right.

    Attributes:
        concept: its name.
        value: written out with sign and error.
        left: start of the bar in % of the track.
        width: its length in %.
        positive: whether it speaks for the answer.
    """

    concept: str
    value: str
    left: float
    width: float
    positive: bool


@dataclass(frozen=True)
class Frame:
    """One picture of a strip: value under it, probability, class, and whether that is another."""

    value: str
    probability: float
    class_name: str
    other: bool


@dataclass(frozen=True)
class Strip:
    """One concept's pictures side by side."""

    concept: str
    unit: str
    own: str
    uri: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Alternative:
    """One counterfactual: picture, difference to the reconstruction, what was changed."""

    called: str
    probability: float
    changes: tuple[tuple[str, str, str], ...]
    uri: str
    difference: str


@dataclass(frozen=True)
class Card:
    """One image of the page.

    Attributes:
        number: position on the page, from 1.
        explanation: what is shown.
        original: data URI.
        reconstruction: data URI.
        alternatives: counterfactuals.
        bars: importances.
        strips: effect strips in view.
        folded: the other strips.
    """

    number: int
    explanation: Explanation
    original: str
    reconstruction: str
    alternatives: tuple[Alternative, ...]
    bars: tuple[Bar, ...]
    strips: tuple[Strip, ...]
    folded: tuple[Strip, ...]


def card(number: int, explanation: Explanation) -> Card:
    """Prepare one explanation for the page."""
    strips = tuple(_strip(strip, explanation) for strip in explanation.strips)
    return Card(
        number=number,
        explanation=explanation,
        original=picture_uri(explanation.original),
        reconstruction=picture_uri(explanation.reconstruction),
        alternatives=tuple(_alternative(f, explanation) for f in explanation.counterfactuals.found),
        bars=_bars(explanation.importances.of),
        strips=strips[:STRIPS_IN_VIEW],
        folded=strips[STRIPS_IN_VIEW:],
    )


def _alternative(found: Counterfactual, explanation: Explanation) -> Alternative:
    changes = []
    for change in found.changes:
        after, before = format_pair(change.after, change.before)
        changes.append(
            (change.concept, with_unit(before, change.unit), with_unit(after, change.unit))
        )
    return Alternative(
        called=found.prediction.class_name,
        probability=found.prediction.probability,
        changes=tuple(changes),
        uri=picture_uri(found.picture),
        difference=difference_uri(explanation.reconstruction, found.picture),
    )


def _bars(importances: Sequence[Importance]) -> tuple[Bar, ...]:
    largest = max((abs(i.contribution) for i in importances), default=0.0) or 1.0
    bars = []
    for importance in importances:
        width = 50 * abs(importance.contribution) / largest
        positive = importance.contribution >= 0
        value = format_logits(importance.contribution, signed=True)
        if importance.standard_error:
            value += f" ± {format_logits(importance.standard_error)}"
        bars.append(
            Bar(importance.concept, value, 50.0 if positive else 50 - width, width, positive)
        )
    return tuple(bars)


def _strip(strip: EffectStrip, explanation: Explanation) -> Strip:
    own = next(concept for concept in explanation.concepts if concept.name == strip.concept)
    step = strip.values[1] - strip.values[0]
    return Strip(
        concept=strip.concept,
        unit=strip.unit,
        own=with_unit(format_at(own.value, step), own.unit),
        uri=picture_uri(side_by_side(strip.pictures)),
        frames=tuple(
            Frame(
                format_at(value, step),
                probability,
                class_name,
                class_name != explanation.prediction.class_name,
            )
            for value, probability, class_name in zip(
                strip.values, strip.probabilities, strip.class_names, strict=True
            )
        ),
    )

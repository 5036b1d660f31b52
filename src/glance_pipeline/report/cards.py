"""One explanation as the page shows it: texts, bar widths and embedded pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.result.explanation import (
    Change,
    Counterfactual,
    Importances,
)
from glance_pipeline.explanations.result.overlay import overlay
from glance_pipeline.explanations.result.values import written_pair
from glance_pipeline.report.pictures import Album, difference_map
from glance_pipeline.report.strips import Strip, strip_on_page
from glance_pipeline.support.number_format import format_measured, format_share

UNFOLDED = 3
"""Cards that are open when the page is; the others open on a click."""

SLIDERS_IN_VIEW = 6
"""Concepts whose sliders are shown at once, the most important; the rest fold away."""

EFFECTS = {
    "direct": "One concept moved, the rest held",
    "causal": "One concept moved, what depends on it follows",
}
"""What a strip shows, by the kind of effect."""


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
class Words:
    """A piece of a line: plain text, then a name, then what stands in brackets.

    Attributes:
        before: plain text.
        name: what is decided, which stands out.
        figure: its probability; empty if there is none.
    """

    before: str
    name: str
    figure: str = ""


@dataclass(frozen=True)
class Alternative:
    """One counterfactual.

    Attributes:
        heading: what the classifier would say, as parts of text, each with its figure and whether
            it is a name.
        called: the classifier's answer to it.
        changes: concept, value before and after, of what was moved.
        following: the same of what followed in a causal effect.
        agreeing: share of the graphs in which it holds, in words; empty if not known.
        warnings: what limits it.
        uri: its picture.
        difference: map of its difference to the reconstruction.
    """

    heading: tuple[Words, ...]
    called: str
    changes: tuple[tuple[str, str, str], ...]
    following: tuple[tuple[str, str, str], ...]
    agreeing: str
    warnings: tuple[str, ...]
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
        saliency: data URI of the image with what speaks for and against the answer; or None.
        effect: what is held while a concept moves, in words.
        alternatives: counterfactuals.
        bars: importances.
        strips: effect strips, those of the most important concepts first.
    """

    number: int
    explanation: Explanation
    original: str
    reconstruction: str
    saliency: str | None
    effect: str
    alternatives: tuple[Alternative, ...]
    bars: tuple[Bar, ...]
    strips: tuple[Strip, ...]


def card(number: int, explanation: Explanation, album: Album | None = None) -> Card:
    """Prepare one explanation for the page.

    Args:
        number: position on the page, from 1.
        explanation: what is shown.
        album: encodes the pictures; by default without loss.

    Raises:
        PageFullError: if the album has no room for the pictures.
    """
    album = album or Album()
    saliency = explanation.saliency
    return Card(
        number=number,
        explanation=explanation,
        original=album.single(explanation.original),
        reconstruction=album.single(explanation.reconstruction),
        saliency=None
        if saliency is None
        else album.strip(overlay(explanation.original, saliency.map)),
        effect=EFFECTS[explanation.effect],
        alternatives=tuple(
            _alternative(found, explanation, album) for found in explanation.counterfactuals.found
        ),
        bars=_bars(explanation.importances),
        strips=tuple(strip_on_page(strip, explanation, album) for strip in explanation.strips),
    )


def _alternative(found: Counterfactual, explanation: Explanation, album: Album) -> Alternative:
    agreeing = found.graphs_agreeing
    return Alternative(
        heading=_heading(found),
        called=f"{found.prediction.verb} {found.prediction.class_name}",
        changes=_changes(found.changes),
        following=_changes(found.following),
        agreeing="" if agreeing is None else format_share(agreeing),
        warnings=found.warnings,
        uri=album.single(found.picture),
        difference=album.strip(difference_map(explanation.reconstruction, found.picture)),
    )


def _heading(found: Counterfactual) -> tuple[Words, ...]:
    """Say what the classifier would answer: of labels those that would turn."""
    if not found.flipped:
        ((name, figure),) = found.prediction.parts
        return (Words(found.prediction.verb.capitalize(), name, figure),)
    turned = [
        Words(
            "and with it" if number else "",
            f"{flip.name} {'on' if flip.on else 'off'}",
            f"{found.prediction.output(flip.name).value:.2f}",
        )
        for number, flip in enumerate(found.flipped)
    ]
    return tuple(turned)


def _changes(changes: Sequence[Change]) -> tuple[tuple[str, str, str], ...]:
    """Return the concept of each change, and its value before and after with unit."""
    return tuple((change.concept, *written_pair(change)) for change in changes)


def _bars(importances: Importances) -> tuple[Bar, ...]:
    largest = max((abs(i.contribution) for i in importances.of), default=0.0) or 1.0
    bars, unit = [], importances.unit
    for importance in importances.of:
        width = 50 * abs(importance.contribution) / largest
        positive = importance.contribution >= 0
        value = format_measured(importance.contribution, unit, signed=True, with_unit=False)
        if importance.standard_error:
            value += f" ± {format_measured(importance.standard_error, unit, with_unit=False)}"
        if unit not in ("", "logits"):  # of logits the line above the bars says it
            value += f" {unit}"
        bars.append(
            Bar(importance.concept, value, 50.0 if positive else 50 - width, width, positive)
        )
    return tuple(bars)

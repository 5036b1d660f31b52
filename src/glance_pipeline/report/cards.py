"""One explanation as the page shows it: texts, bar widths and embedded pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.explanation import (
    Change,
    Counterfactual,
    Importance,
)
from glance_pipeline.explanations.overlay import overlay
from glance_pipeline.explanations.values import format_logits, written_pair
from glance_pipeline.number_format import format_share
from glance_pipeline.report.pictures import Album, difference_map
from glance_pipeline.report.strips import Strip, strip_on_page

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
class Alternative:
    """One counterfactual.

    Attributes:
        called: the classifier's answer to it.
        probability: of that answer.
        changes: concept, value before and after, of what was moved.
        following: the same of what followed in a causal effect.
        agreeing: share of the graphs in which it holds, in words; empty where not known.
        warnings: what limits it.
        uri: its picture.
        difference: map of its difference to the reconstruction.
    """

    called: str
    probability: float
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
        PageFullError: where the album has no room for the pictures.
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
        bars=_bars(explanation.importances.of),
        strips=tuple(strip_on_page(strip, explanation, album) for strip in explanation.strips),
    )


def _alternative(found: Counterfactual, explanation: Explanation, album: Album) -> Alternative:
    agreeing = found.graphs_agreeing
    return Alternative(
        called=found.prediction.class_name,
        probability=found.prediction.probability,
        changes=_changes(found.changes),
        following=_changes(found.following),
        agreeing="" if agreeing is None else format_share(agreeing),
        warnings=found.warnings,
        uri=album.single(found.picture),
        difference=album.strip(difference_map(explanation.reconstruction, found.picture)),
    )


def _changes(changes: Sequence[Change]) -> tuple[tuple[str, str, str], ...]:
    """Return the concept of each change, and its value before and after with unit."""
    return tuple((change.concept, *written_pair(change)) for change in changes)


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

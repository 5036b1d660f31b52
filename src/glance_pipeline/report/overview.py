"""What the first screen says: how far to trust it, and which concepts there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glance_pipeline.causal.graph import CausalGraph, Edge
from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.values import (
    displayed_unit,
    format_logits,
    format_number,
    in_display_units,
    name_of_yes,
)
from glance_pipeline.networks import Concept
from glance_pipeline.number_format import format_share

HELD_OUT = {
    "reconstruction_agreement": "of held-out images are called the same when redrawn",
    "student_agreement": "of held-out images get the same answer from the concepts alone",
    "intervention_agreement": "of pictures with moved concepts are called what the concepts say",
    "residual_swap_agreement": "keep their answer when everything but the concepts is swapped",
}
"""What each measure of ``fidelity`` says, in words that follow a percentage."""


@dataclass(frozen=True)
class Tile:
    """One figure with what it means."""

    figure: str
    meaning: str


@dataclass(frozen=True)
class ConceptRow:
    """One line of the table of concepts.

    Attributes:
        name: of the concept.
        kind: ``aligned`` or ``latent``.
        active: whether it changes the picture at all.
        extent: its range over the training images, with its unit; of a binary feature or a level,
            in how many of them it is there.
        effects: the strongest effects that the classifier was shown to use, in words.
        share: mean magnitude of its contribution over the explained images, as a part of the
            largest such mean, 0–1; of a level, that of its feature.
        contribution: the same in logits, written out.
    """

    name: str
    kind: str
    active: bool
    extent: str
    effects: tuple[str, ...]
    share: float
    contribution: str


def fidelity_tiles(
    explanations: Sequence[Explanation], metrics: Mapping[str, Any] | None
) -> list[Tile]:
    """Return fidelity at a glance: measured on held-out images where given, else on these."""
    count = len(explanations)
    fidelity = (metrics or {}).get("fidelity", {})
    tiles = [
        Tile(f"{100 * fidelity[name]:.0f} %", meaning)
        for name, meaning in HELD_OUT.items()
        if fidelity.get(name) is not None
    ]
    if not tiles:
        same = sum(explanation.faithful for explanation in explanations)
        tiles.append(Tile(f"{same} of {count}", "images are called the same when redrawn"))
    residual = sum(explanation.residual_l1 for explanation in explanations) / count
    changed = sum(bool(explanation.counterfactuals.found) for explanation in explanations)
    return [
        *tiles,
        Tile(f"{50 * residual:.1f} %", "of the grey scale: mean error of redrawing these"),
        Tile(
            f"{changed} of {count}",
            "have a verified change that turns the answer",
        ),
    ]


def concept_rows(
    concepts: Sequence[Concept], graph: CausalGraph, explanations: Sequence[Explanation]
) -> list[ConceptRow]:
    """Return the table of concepts: active ones first, those that contribute most on top."""
    mean = {c.name: _mean_magnitude(c.feature or c.name, explanations) for c in concepts}
    largest = max(mean.values(), default=0.0) or 1.0
    rows = [
        ConceptRow(
            name=concept.name,
            kind=concept.kind,
            active=concept.active,
            extent=_extent(concept),
            effects=tuple(_strongest_effects(concept, graph)),
            share=mean[concept.name] / largest,
            contribution=format_logits(mean[concept.name]),
        )
        for concept in concepts
    ]
    return sorted(rows, key=lambda row: (not row.active, row.kind != "aligned", -row.share))


def _mean_magnitude(name: str, explanations: Sequence[Explanation]) -> float:
    magnitudes = [
        abs(importance.contribution)
        for explanation in explanations
        for importance in explanation.importances.of
        if importance.concept == name
    ]
    return sum(magnitudes) / len(magnitudes) if magnitudes else 0.0


def _extent(concept: Concept) -> str:
    if concept.measure != "continuous":
        return f"{name_of_yes(concept) or 'yes'} in {format_share(concept.mean)}"
    low, high = (in_display_units(concept, code) for code in (concept.low, concept.high))
    return f"{format_number(low)} to {format_number(high)} {displayed_unit(concept)}".rstrip()


def _strongest_effects(concept: Concept, graph: CausalGraph, most: int = 2) -> list[str]:
    """Return the effects of a concept; of a level, those that its feature has by this level."""
    used = [
        edge
        for edge in graph.edges
        if edge.verdict == "used"
        and edge.source == (concept.feature or concept.name)
        and (not concept.feature or edge.level in concept.levels)
    ]
    used.sort(key=lambda edge: abs(edge.strength), reverse=True)
    return [_effect(edge, graph) for edge in used[:most]]


def _effect(edge: Edge, graph: CausalGraph) -> str:
    label = graph.node(edge.target).label
    if edge.effect is None:
        return label
    return f"{label}: {format_logits(edge.effect.value, signed=True)}"

"""What the first screen says: how far to trust it, and which concepts there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glance_pipeline.classifiers.task import Kind
from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.result.values import (
    displayed_unit,
    format_number,
    in_display_units,
    name_of_yes,
)
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge
from glance_pipeline.support.number_format import format_fixed, format_measured, format_share
from glance_pipeline.twin.networks import Concept

HELD_OUT: Mapping[Kind, Mapping[str, str]] = {
    "one_of": {
        "reconstruction_agreement": "of held-out images are called the same when redrawn",
        "student_agreement": "of held-out images get the same answer from the concepts alone",
        "intervention_agreement": "of pictures with moved concepts are called as the concepts say",
        "residual_swap_agreement": "keep their answer when everything but the concepts is swapped",
    },
    "each": {
        "reconstruction_agreement": "of held-out images keep all their labels when redrawn",
        "reconstruction_label_agreement": "of the labels of held-out images stay when redrawn",
        "student_agreement": "of held-out images get the same labels from the concepts alone",
        "intervention_agreement": "of pictures with moved concepts have the labels that the "
        "concepts say",
        "residual_swap_agreement": "keep their labels when everything but the concepts is swapped",
    },
    "values": {
        "reconstruction_agreement": "of held-out images keep their answer when redrawn, within a "
        "quarter of the answers’ standard deviation",
        "student_agreement": "get that answer from the concepts alone, likewise",
        "intervention_agreement": "of pictures with moved concepts get the answer that the "
        "concepts say, likewise",
        "residual_swap_agreement": "keep their answer when everything but the concepts is swapped, "
        "likewise",
    },
}
"""What each measure of ``fidelity`` says, in words that follow a percentage."""

SAME = {
    "one_of": "images are called the same when redrawn",
    "each": "images keep all their labels when redrawn",
    "values": "images keep their answer when redrawn",
}
"""The same of the explained images."""


@dataclass(frozen=True)
class Tile:
    """One figure with what it means."""

    figure: str
    meaning: str


@dataclass(frozen=True)
class ConceptRow:
    """One line of the table of concepts.

    Attributes:
        name: name of the concept.
        kind: ``aligned`` or ``latent``.
        active: whether it changes the picture at all.
        extent: its range over the training images, with its unit; of a binary feature or a level,
            in how many of them it is there.
        effects: the strongest effects that the classifier was shown to use, in words.
        share: mean magnitude of its contribution over the explained images, as a part of the
            largest such mean, 0–1; of a level, that of its feature.
        contribution: the same in logits, or the unit of the answers, written out.
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
    kind = explanations[0].prediction.kind
    fidelity = (metrics or {}).get("fidelity", {})
    tiles = [
        Tile(f"{100 * fidelity[name]:.0f} %", meaning)
        for name, meaning in HELD_OUT[kind].items()
        if fidelity.get(name) is not None
    ]
    if fidelity.get("reconstruction_r2") is not None:
        r2 = format_fixed(fidelity["reconstruction_r2"], 2)
        tiles.append(Tile(r2, "R² of the answers to held-out images when redrawn"))
    if not tiles:
        same = sum(explanation.faithful for explanation in explanations)
        tiles.append(Tile(f"{same} of {count}", SAME[kind]))
    residual = sum(explanation.residual_l1 for explanation in explanations) / count
    changed = sum(bool(explanation.counterfactuals.found) for explanation in explanations)
    return [
        *tiles,
        Tile(f"{50 * residual:.1f} %", "of the grey scale: mean error of redrawing these"),
        Tile(
            f"{changed} of {count}",
            f"have a verified change that {'moves' if kind == 'values' else 'turns'} the answer",
        ),
    ]


def concept_rows(
    concepts: Sequence[Concept], graph: CausalGraph, explanations: Sequence[Explanation]
) -> list[ConceptRow]:
    """Return the table of concepts: active ones first, those that contribute most on top."""
    mean = {c.name: _mean_magnitude(c.feature or c.name, explanations) for c in concepts}
    largest = max(mean.values(), default=0.0) or 1.0
    units = {explanation.importances.unit for explanation in explanations}
    unit = units.pop() if len(units) == 1 else ""
    rows = [
        ConceptRow(
            name=concept.name,
            kind=concept.kind,
            active=concept.active,
            extent=_extent(concept),
            effects=tuple(_strongest_effects(concept, graph)),
            share=mean[concept.name] / largest,
            contribution=format_measured(mean[concept.name], unit, with_unit=unit != "logits"),
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
    node = graph.node(edge.target)
    if edge.effect is None:
        return node.label
    if edge.sign_depends_on:
        return f"{node.label}: its sign depends on {', '.join(edge.sign_depends_on)}"
    logits = node.unit == "logits"
    value = format_measured(edge.effect.value, node.unit, signed=True, with_unit=not logits)
    return f"{node.label}: {value}"


def measures_in_words(explanations: Sequence[Explanation]) -> tuple[str, str]:
    """Return what effects are on, and the unit of contributions, for the headings of a table."""
    kind = explanations[0].prediction.kind
    return {
        "one_of": ("an answer’s lead (logits per sd)", "logits"),
        "each": ("a label’s logit (per sd)", "logits"),
        "values": ("an answer (per sd)", "in units of the answer"),
    }[kind]

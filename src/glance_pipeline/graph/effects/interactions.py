"""Interactions: pairs of concepts whose joint effect on a margin is not the sum of theirs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import average_effects
from glance_pipeline.graph.effects.estimation import estimate_effects, holm, spread_of
from glance_pipeline.graph.effects.experiment import Changes, Experiment
from glance_pipeline.graph.effects.prediction_edges import prediction_name
from glance_pipeline.graph.effects.real_images import regress_on_concepts
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Verdict
from glance_pipeline.graph.model.evidence import Interaction
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable


class Pair(NamedTuple):
    """Two concepts, and the classes for which they are tested together."""

    concepts: tuple[str, str]
    classes: tuple[int, ...]


def add_interactions(
    graph: CausalGraph,
    table: ConceptTable,
    experiment: Experiment,
    settings: InterventionParameters,
    seed: int,
    observed: ConceptTable | None = None,
) -> CausalGraph:
    """Test pairs of concepts for interactions, and keep those that are significant.

    It costs four generated images for each image and pair; see ``choose_pairs`` for the pairs.

    Args:
        graph: with predictions.
        table: concepts and margins of all images.
        experiment: held-out images, and the networks; its outcomes are those of the table.
        settings: step, number of pairs, level and smallest effect.
        seed: seed of the run.
        observed: the table with context features as they were measured, for what real images say;
            ``table`` where there is none.

    Returns:
        The graph with its interactions, the strongest first. A concept whose effect another one
        turns round is *used*, see ``with_signs_that_depend``.

    Raises:
        ValueError: if the graph has no predictions yet.
    """
    if graph.intervention is None:
        raise ValueError("interactions need a graph whose predictions were tested; these were not")
    spread = spread_of(table.margins)
    labels = [str(label) for label in table.margins]
    found: list[Interaction] = []
    pairs = choose_pairs(graph, labels, spread, settings)
    for pair in tqdm(pairs, desc="interactions", unit="pair", disable=not pairs):
        changes = second_difference(experiment, pair.concepts, settings.step)
        if changes.steps.any():  # else there is no image on which both could be moved
            found += _interactions_of(pair, changes, table, spread, settings, seed)
    record = replace(graph.intervention, interaction_tests=len(found))
    significant = _significant(found, settings)
    graph = replace(graph, interactions=significant, intervention=record)
    shown = significant
    if "real_images" in settings.choices:
        products = regress_on_concepts(observed or table).products
        shown = tuple(
            one
            for one in significant
            if _shown_by_real_images(one, products, labels, spread, settings.minimum_effect)
        )
    return with_signs_that_depend(graph, shown)


def _shown_by_real_images(
    one: Interaction,
    products: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]],
    labels: list[str],
    spread: np.ndarray,
    minimum: float,
) -> bool:
    """Say whether real images have the interaction too: its sign, beyond doubt, and its size."""
    pair = one.concepts if one.concepts in products else one.concepts[::-1]
    if pair not in products:
        return False
    k = [prediction_name(label) for label in labels].index(one.prediction)
    value, error = products[pair][0][k], products[pair][1][k]
    certain = abs(value) > 1.96 * error and abs(value) >= minimum * spread[k]
    return bool(certain and value * one.effect.value > 0)


def with_signs_that_depend(graph: CausalGraph, interactions: Sequence[Interaction]) -> CausalGraph:
    """Call a concept *used* where another one turns the sign of its effect.

    That is so where the interaction is at least as large as the average effect, both standardised:
    the effects at one standard deviation of the other concept above and below its mean then have
    opposite signs. On average they may be nothing, as in an exclusive-or.

    A latent concept may be redefined with a scale that depends on the aligned ones, and an aligned
    concept that only scales what the latent one says then has no part in the answer. So where
    latent concepts alone turn the sign of an aligned one, which is not *used* by its average,
    whether it is used cannot be told.

    Args:
        graph: with predictions.
        interactions: those that may turn a sign.
    """
    sizes: dict[tuple[str, str], dict[str, float]] = {}
    for one in interactions:
        for concept, other in (one.concepts, one.concepts[::-1]):
            by_other = sizes.setdefault((concept, one.prediction), {})
            by_other[other] = abs(one.effect.standardised)
    edges: list[Edge] = []
    rejected: list[Edge] = []
    for examined, kept in ((graph.edges, edges), (graph.rejected, rejected)):
        for edge in examined:
            average = abs(edge.effect.standardised) if edge.effect else 0.0
            others = sizes.get((edge.source, edge.target), {})
            turning = {other: size for other, size in others.items() if size >= average}
            if turning:
                sure = edge.verdict == "used" or _by_definition(graph, edge, turning)
                edges.append(_turned(edge, turning, "used" if sure else "cannot_be_told"))
            else:
                kept.append(edge)
    return replace(graph, edges=tuple(edges), rejected=tuple(rejected))


def _by_definition(graph: CausalGraph, edge: Edge, turning: Iterable[str]) -> bool:
    """Say whether a sign that depends on others does so whatever the latent concepts mean."""
    kinds = {graph.node(other).kind for other in turning}
    return graph.node(edge.source).kind == "latent" or kinds != {"latent"}


def _turned(edge: Edge, turning: dict[str, float], verdict: Verdict) -> Edge:
    return replace(
        edge,
        mark_at_source="tail" if verdict == "used" else "circle",
        evidence="intervention",
        verdict=verdict,
        sign_depends_on=turning,
    )


def _interactions_of(
    pair: Pair,
    changes: Changes,
    table: ConceptTable,
    spread: np.ndarray,
    settings: InterventionParameters,
    seed: int,
) -> list[Interaction]:
    """Return what a pair does together to each of its classes, of the changes that it made."""
    generator = numpy_generator(seed, "interactions", *pair.concepts)
    effects = average_effects(changes, settings.resamples, generator)
    labels = [str(label) for label in table.margins]
    units = [table.unit_of(label) for label in labels]
    estimates = estimate_effects(effects, spread, settings.minimum_effect, units, "sd²")
    return [
        Interaction(pair.concepts, prediction_name(labels[k]), estimates[k][0])
        for k in pair.classes
    ]


def choose_pairs(
    graph: CausalGraph, labels: list[str], spread: np.ndarray, settings: InterventionParameters
) -> list[Pair]:
    """Choose the pairs of concepts to test, at most ``settings.interactions``.

    A concept counts for a class by its mean absolute effect over images, and takes part where that
    is at least the smallest effect: all that are *used* on average, and those too whose effect
    changes its sign from image to image, which another concept may govern. Pairs go by the product
    of both, in the class where it is largest. Categorical features take no part.

    Args:
        graph: with predictions.
        labels: names of the K classes.
        spread: standard deviations (K,) of the margins.
        settings: number of pairs and smallest effect.
    """
    with_levels = {node.name for node in graph.nodes if node.levels}
    weights: dict[str, dict[str, float]] = {}
    for edge in (*graph.edges, *graph.rejected):
        if edge.effect is None or edge.level or edge.source in with_levels:
            continue
        label = graph.node(edge.target).label
        size = (edge.effect.magnitude or 0.0) / spread[labels.index(label)]
        if size >= settings.minimum_effect:
            weights.setdefault(edge.source, {})[label] = size
    order = [node.name for node in graph.nodes if node.name in weights]
    scored = []
    for one, other in combinations(order, 2):
        scores = {
            k: weights[one][label] * weights[other][label]
            for k, label in enumerate(labels)
            if label in weights[one] and label in weights[other]
        }
        if scores:
            scored.append((max(scores.values()), Pair((one, other), tuple(scores))))
    scored.sort(key=lambda item: -item[0])
    return [pair for _, pair in scored[: settings.interactions]]


def _significant(
    found: list[Interaction], settings: InterventionParameters
) -> tuple[Interaction, ...]:
    """Return those that pass Holm's correction and the smallest effect, the strongest first."""
    p_values = np.array([interaction.effect.p_value for interaction in found], dtype=np.float64)
    corrected = [
        replace(one, effect=replace(one.effect, adjusted_p_value=p_value))
        for one, p_value in zip(found, holm(p_values).tolist(), strict=True)
        if p_value <= settings.alpha and abs(one.effect.standardised) >= settings.minimum_effect
    ]
    return tuple(sorted(corrected, key=lambda one: -abs(one.effect.standardised)))


def second_difference(experiment: Experiment, pair: tuple[str, str], step: float) -> Changes:
    """Move two concepts together, each either way, and compare with moving them one by one.

    Args:
        experiment: the images, and the networks.
        pair: names of two concepts.
        step: to either side, in standard deviations; values are clamped as for single effects.

    Returns:
        f(++) − f(+−) − f(−+) + f(−−), (N, K), and the product of both distances, (N,).
    """
    sides = [experiment.either_side(name, step) for name in pair]
    total = np.zeros(())
    for one, other in product((0, 1), repeat=2):
        values = {pair[0]: sides[0][one], pair[1]: sides[1][other]}
        total = total + (1 if one == other else -1) * experiment.margins(values)
    steps = [(above - below).double().numpy() for above, below in sides]
    return Changes(total, steps[0] * steps[1])

"""Concept → prediction edges: effects and associations, tested and judged."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from glance_pipeline.causal.columns import normal_scores
from glance_pipeline.causal.evidence import Estimate
from glance_pipeline.causal.graph import CausalGraph, Edge, Node, Verdict
from glance_pipeline.causal.interventions import Effects
from glance_pipeline.causal.records import InterventionRecord
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.discover import InterventionParameters


def add_predictions(
    graph: CausalGraph,
    table: ConceptTable,
    effects: Mapping[str, Effects],
    settings: InterventionParameters,
    *,
    images: int,
    seed: int,
    exclusions: dict[str, str],
) -> CausalGraph:
    """Add the prediction of each class as a sink, with one judged edge from every concept.

    The arrowhead at the prediction is known beforehand: a margin is computed from the image and
    causes nothing in it. The mark at the concept is a tail where an intervention shows that the
    concept is a cause, and stays a circle otherwise.

    Args:
        graph: of the concepts.
        table: concepts and margins of all images, for the associations.
        effects: of each concept that could be moved, on the margins in the order of the table.
        settings: levels and smallest effects.
        images: number of images intervened on.
        seed: of the run.
        exclusions: concepts that could not be moved, with the reason.
    """
    pairs = [(name, label) for name in effects for label in map(str, table.margins)]
    associations = associate(table, list(effects)) if effects else []
    measured = estimate_effects(effects, table.margins, settings.minimum_effect) if effects else []
    edges: list[Edge] = []
    rejected: list[Edge] = []
    for pair, association, (effect, stability) in zip(pairs, associations, measured, strict=True):
        verdict = judge(effect, association, settings)
        used = verdict == "used"
        edge = Edge(
            source=pair[0],
            target=prediction_name(pair[1]),
            mark_at_source="tail" if used else "circle",
            mark_at_target="arrow",
            evidence="intervention" if used else "association",
            association=association,
            effect=effect,
            frequency=stability if used else None,
            verdict=verdict,
        )
        (rejected if verdict == "neither" else edges).append(edge)
    record = InterventionRecord(
        images=images,
        step=settings.step,
        resamples=settings.resamples,
        alpha=settings.alpha,
        correction="Holm",
        tests=len(pairs),
        minimum_effect=settings.minimum_effect,
        minimum_correlation=settings.minimum_correlation,
        seed=seed,
        exclusions=exclusions,
    )
    nodes = tuple(
        Node(prediction_name(str(label)), "prediction", str(label), "logits")
        for label in table.margins
    )
    return graph.with_predictions(nodes, tuple(edges), tuple(rejected), record)


def prediction_name(label: str) -> str:
    """Return the name of a class's node; a class may be called what a concept is called."""
    return f"prediction:{label}"


def judge(effect: Estimate, association: Estimate, settings: InterventionParameters) -> Verdict:
    """Say whether a concept is used for a class, only associated with it, or neither.

    Used: the effect is significant after correction and not practically null. Only associated: it
    is not used, yet image by image it goes along with the margin; most often because it depends on
    a concept that is used.
    """
    if _passes(effect, settings.alpha, settings.minimum_effect):
        return "used"
    if _passes(association, settings.alpha, settings.minimum_correlation):
        return "only_associated"
    return "neither"


def associate(table: ConceptTable, names: Sequence[str]) -> list[Estimate]:
    """Correlate normal scores of concepts and margins, concept by concept, class by class.

    The correlation is marginal on purpose: given the concepts that are used, one that only goes
    along with them would be independent. p-values and intervals are Fisher's, Holm-corrected.
    """
    concepts = _standard(normal_scores(table.concepts[list(names)].to_numpy(np.float64)))
    answers = _standard(normal_scores(table.margins.to_numpy(np.float64)))
    correlations = (concepts.T @ answers / len(answers)).ravel()
    z = np.arctanh(np.clip(correlations, -1 + 1e-12, 1 - 1e-12))
    error = 1 / np.sqrt(len(answers) - 3)
    p_values = 2 * stats.norm.sf(np.abs(z) / error)
    low, high = np.tanh(z - 1.96 * error), np.tanh(z + 1.96 * error)
    return [
        Estimate(value, below, above, "correlation", value, p_value, adjusted)
        for value, below, above, p_value, adjusted in np.stack(
            [correlations, low, high, p_values, _holm(p_values)], axis=1
        ).tolist()
    ]


def estimate_effects(
    effects: Mapping[str, Effects], margins: pd.DataFrame, minimum: float
) -> list[tuple[Estimate, float]]:
    """Estimate each effect and its stability, concept by concept, class by class.

    The interval is the bootstrap's 2.5 and 97.5 % quantiles; the p-value takes the bootstrap's
    standard error and a normal reference, since a share of a thousand resamples cannot be as small
    as a correction for a hundred tests needs.

    Args:
        effects: by concept, on K margins each; not empty.
        margins: of all images on real data, (N, K); their standard deviations are the scale.
        minimum: smallest standardised effect.
    """
    spread = np.tile(margins.to_numpy(np.float64).std(0), len(effects))
    spread[spread == 0] = np.inf  # a margin that never changes has no scale and no effect
    value, magnitude = (
        np.concatenate([getattr(e, field) for e in effects.values()])
        for field in ("value", "magnitude")
    )
    resampled = np.concatenate([e.resampled for e in effects.values()], axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    error = resampled.std(0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Without spread over images an effect is either exactly zero or beyond doubt.
        z = np.where(value == 0, 0.0, np.abs(value) / error)
    p_values = 2 * stats.norm.sf(z)
    same = (np.sign(resampled) == np.sign(value)) & (np.abs(resampled) >= minimum * spread)
    columns = [value, low, high, value / spread, p_values, _holm(p_values), magnitude, same.mean(0)]
    return [
        (Estimate(v, lo, hi, "logits per sd", standard, p, adjusted, size), stability)
        for v, lo, hi, standard, p, adjusted, size, stability in np.stack(columns, axis=1).tolist()
    ]


def _passes(estimate: Estimate, alpha: float, minimum: float) -> bool:
    adjusted = estimate.adjusted_p_value
    return adjusted is not None and adjusted <= alpha and abs(estimate.standardised) >= minimum


def _standard(columns: np.ndarray) -> np.ndarray:
    """Standardise; a constant column becomes zero, which correlates with nothing."""
    spread = columns.std(0)
    return (columns - columns.mean(0)) / np.where(spread > 0, spread, 1.0)


def _holm(p_values: np.ndarray) -> np.ndarray:
    from statsmodels.stats.multitest import multipletests  # a second to import

    return multipletests(p_values, method="holm")[1]

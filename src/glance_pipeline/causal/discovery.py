"""The graph among concepts: FCI over bootstrap resamples, summed up by majority."""

import logging
from itertools import combinations

import numpy as np

from glance_pipeline.causal.bootstrap import Resamples, search_resamples
from glance_pipeline.causal.columns import normal_scores, usable_columns
from glance_pipeline.causal.evidence import Estimate
from glance_pipeline.causal.graph import CausalGraph, Edge, Mark, Node
from glance_pipeline.causal.records import SearchRecord
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.discover import SearchParameters

_LOGGER = logging.getLogger(__name__)

# As ``fci_search`` gives them.
_MARKS: dict[Mark, int] = {"tail": -1, "arrow": 1, "circle": 2}


def discover_concept_graph(
    table: ConceptTable, settings: SearchParameters, seed: int, workers: int
) -> CausalGraph:
    """Search the causal graph among concepts; hidden confounders are allowed for.

    FCI with Fisher's Z test on normal scores is run on bootstrap resamples. An edge of the graph is
    one that at least ``settings.threshold`` of them hold; a mark is what more than half of those
    that hold the edge say, and a circle where no mark is that frequent. Predictions take no part:
    they are functions of the concepts, which breaks faithfulness (docs/method.md); see
    ``interventions``.

    Args:
        table: concepts of all images.
        settings: resamples, level, threshold, depth.
        seed: of the run.
        workers: joblib workers; the result does not depend on it.

    Returns:
        A graph with all concepts as nodes; those that the search could not use (constant,
        duplicated, determined by others) are named in ``search.exclusions`` and have no edges.

    Raises:
        ValueError: where values are missing or infinite, or rows are too few.
    """
    usable, exclusions = usable_columns(table.concepts)
    for name, reason in exclusions.items():
        _LOGGER.warning("Concept %r is left out of the causal search: %s.", name, reason)
    rows = len(table.concepts)
    record = SearchRecord(
        method="FCI (causal-learn), majority of bootstrap resamples",
        test="Fisher-Z on normal scores",
        alpha=settings.alpha,
        threshold=settings.threshold,
        depth=settings.depth,
        resamples=settings.resamples,
        rows=rows,
        rows_per_resample=min(settings.rows_per_resample or rows, rows),
        seed=seed,
        exclusions=exclusions,
    )
    nodes = tuple(
        Node(name, table.kinds[name], name, table.units[name])  # type: ignore[arg-type]
        for name in map(str, table.concepts)
    )
    if len(usable) < 2:
        _LOGGER.warning("Fewer than two concepts can be searched: the graph has no edges.")
        return CausalGraph(nodes, (), (), record)
    scores = normal_scores(table.concepts[usable].to_numpy(np.float64))
    resamples = search_resamples(scores, settings, seed, workers)
    pairs = summarise(usable, np.corrcoef(scores, rowvar=False), resamples)
    edges = tuple(edge for edge in pairs if (edge.frequency or 0.0) >= settings.threshold)
    rejected = tuple(edge for edge in pairs if (edge.frequency or 0.0) < settings.threshold)
    return CausalGraph(nodes, edges, rejected, record)


def summarise(names: list[str], correlations: np.ndarray, resamples: Resamples) -> list[Edge]:
    """Sum up resamples: one edge record for each pair of names, edge or not.

    Args:
        names: of L columns.
        correlations: (L, L), of the normal scores of all rows.
        resamples: what each resample found.
    """
    edges = []
    for i, j in combinations(range(len(names)), 2):
        held = resamples.marks[:, i, j] != 0
        marks_i = _mark_frequencies(resamples.marks[held, j, i])
        marks_j = _mark_frequencies(resamples.marks[held, i, j])
        low, high = np.percentile(resamples.correlations[:, i, j], [2.5, 97.5])
        value = float(correlations[i, j])
        association = Estimate(value, float(low), float(high), "correlation", value)
        one, other = (names[i], marks_i), (names[j], marks_j)
        # The node without an arrowhead comes first.
        if _majority(marks_i) == "arrow" and _majority(marks_j) != "arrow":
            one, other = other, one
        edges.append(
            Edge(
                source=one[0],
                target=other[0],
                mark_at_source=_majority(one[1]),
                mark_at_target=_majority(other[1]),
                evidence="association",
                association=association,
                frequency=float(held.mean()),
                source_marks=one[1],
                target_marks=other[1],
            )
        )
    return edges


def _mark_frequencies(marks: np.ndarray) -> dict[Mark, float]:
    if len(marks) == 0:
        return {}
    return {name: float(np.mean(marks == code)) for name, code in _MARKS.items()}


def _majority(frequencies: dict[Mark, float]) -> Mark:
    for mark, frequency in frequencies.items():
        if frequency > 0.5:
            return mark
    return "circle"

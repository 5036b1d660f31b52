"""Resamples summed up: one edge record for each pair of nodes."""

from itertools import combinations

import numpy as np

from glance_pipeline.graph.model.causal_graph import Edge, Mark
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.search.bootstrap import Resamples

# As ``search`` gives them.
_MARKS: dict[Mark, int] = {"tail": -1, "arrow": 1, "circle": 2}


def summarise(names: list[str], correlations: np.ndarray, resamples: Resamples) -> list[Edge]:
    """Sum up resamples: one edge record for each pair of names, edge or not.

    Args:
        names: names of L nodes.
        correlations: (L, L), of all rows, as ``associate`` has them.
        resamples: what each resample found. An edge that the user requires is in all of them, so
            it has marks in all; its frequency is that of the data.
    """
    edges = []
    for i, j in combinations(range(len(names)), 2):
        held = resamples.held[:, i, j]
        joined = resamples.marks[:, i, j] != 0
        marks_i = _mark_frequencies(resamples.marks[joined, j, i])
        marks_j = _mark_frequencies(resamples.marks[joined, i, j])
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

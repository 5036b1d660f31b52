"""How near a found graph is to the truth, by the same rules for every method.

A graph is an int8 matrix of marks (L, L): the mark at column j of the edge i – j in row i, −1 tail,
1 arrow, 2 circle, 0 for no edge. What counts:

- *adjacencies* are compared with those of the partial ancestral graph, what observations can tell;
- an *arrowhead* at j claims that j is no cause of i. It is right where that is true of the model,
  also where no conditional independence could tell, so that a method that assumes more than FCI
  does is not punished for being right. To be found are the arrowheads of the partial ancestral
  graph;
- a *wrong direction* is a tail at i and an arrowhead at j where i is no cause of j;
- the *structural Hamming distance* counts a pair once where it is joined in one graph alone, or
  joined in both with an arrowhead that is false or one that is missing.
"""

from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from benchmarks.graph.truth import ARROW, TAIL, Truth
from glance_pipeline.graph.model.causal_graph import CausalGraph

_CODES = {"tail": -1, "arrow": 1, "circle": 2}


@dataclass(frozen=True)
class Counts:
    """Counts over the pairs of one graph, or over several graphs when added up.

    Attributes:
        joined_right: pairs joined in both graphs.
        joined_found: pairs joined in the found graph.
        joined_true: pairs joined in the true graph.
        heads_right: claimed arrowheads that are true, on pairs joined in both.
        heads_claimed: claimed arrowheads on pairs joined in both.
        heads_found: arrowheads of the partial ancestral graph that were found.
        heads_true: arrowheads of the partial ancestral graph.
        wrong_directions: see above.
        distance: the structural Hamming distance.
    """

    joined_right: int = 0
    joined_found: int = 0
    joined_true: int = 0
    heads_right: int = 0
    heads_claimed: int = 0
    heads_found: int = 0
    heads_true: int = 0
    wrong_directions: int = 0
    distance: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        names = [field.name for field in fields(self)]
        return Counts(*(getattr(self, name) + getattr(other, name) for name in names))


def count(found: np.ndarray, truth: Truth) -> Counts:
    """Compare the marks (L, L) that were found with the truth about the same columns."""
    total = Counts()
    for i, j in combinations(range(len(found)), 2):
        total += _count_pair(found, truth, i, j)
    return total


def _count_pair(found: np.ndarray, truth: Truth, i: int, j: int) -> Counts:
    is_found, is_true = bool(found[i, j]), bool(truth.observable[i, j])
    both = is_found and is_true
    ends = ((i, j), (j, i))
    claimed = [(a, b) for a, b in ends if found[a, b] == ARROW]
    wanted = [(a, b) for a, b in ends if truth.observable[a, b] == ARROW]
    # At b of a – b: "b is no cause of a".
    right = [(a, b) for a, b in claimed if not truth.causes[b, a]]
    missed = [end for end in wanted if end not in claimed]
    wrong = [(a, b) for a, b in claimed if found[b, a] == TAIL and not truth.causes[a, b]]
    return Counts(
        joined_right=both,
        joined_found=is_found,
        joined_true=is_true,
        heads_right=len(right) if both else 0,
        heads_claimed=len(claimed) if both else 0,
        heads_found=len(wanted) - len(missed),
        heads_true=len(wanted),
        wrong_directions=len(wrong),
        distance=is_found != is_true or (both and (len(right) < len(claimed) or bool(missed))),
    )


def ratio(part: int, whole: int) -> float | None:
    """Return part / whole, None if there is nothing to divide by."""
    return part / whole if whole else None


def marks_of(graph: CausalGraph, names: tuple[str, ...]) -> np.ndarray:
    """Return the marks (L, L) of a graph's edges among L of its nodes."""
    marks = np.zeros((len(names), len(names)), np.int8)
    place = {name: number for number, name in enumerate(names)}
    for edge in graph.edges:
        if edge.source in place and edge.target in place:
            i, j = place[edge.source], place[edge.target]
            marks[i, j], marks[j, i] = _CODES[edge.mark_at_target], _CODES[edge.mark_at_source]
    return marks


def majority(marks: np.ndarray, threshold: float) -> np.ndarray:
    """Sum up the marks (R, L, L) of R resamples as the project does.

    An edge is one that at least ``threshold`` of the resamples hold; a mark is what more than half
    of those say, otherwise a circle.
    """
    held = marks != 0
    number = held.sum(0)
    summed = np.where(number >= threshold * len(marks), 2, 0).astype(np.int8)
    for code in _CODES.values():
        summed[(summed != 0) & ((marks == code).sum(0) > number / 2)] = code
    np.fill_diagonal(summed, 0)
    return summed

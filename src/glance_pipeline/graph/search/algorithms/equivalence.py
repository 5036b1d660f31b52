"""Marks of an equivalence class of directed acyclic graphs, with what the user knows."""

from typing import Any

import numpy as np

from glance_pipeline.graph.model.knowledge import ARROW, CIRCLE, TAIL, Facts


def class_marks(graph: Any, facts: Facts) -> np.ndarray:
    """Return the marks of causal-learn's graph of an equivalence class, knowledge added.

    An edge that is undirected there points one way in some graphs of the class and the other way
    in others: it cannot be told, so both ends are circles. Where there are no hidden common causes,
    which these methods assume, an end that is no cause is an effect: one known mark settles both.

    Args:
        graph: causal-learn's ``GeneralGraph`` of L nodes.
        facts: the user's background knowledge.

    Returns:
        int8 (L, L), as ``search`` has it.
    """
    marks = graph.graph.T.astype(np.int8)
    marks[(marks == TAIL) & (marks.T == TAIL)] = CIRCLE
    known = facts.marks()
    adjacent = marks != 0
    for i, j in np.argwhere(adjacent & (known == ARROW)):
        marks[i, j] = ARROW
        marks[j, i] = ARROW if known[j, i] == ARROW else TAIL
    if known.any():
        _follow_meek(marks)
    return marks


def _follow_meek(marks: np.ndarray) -> None:
    """Direct what must be, by the four rules of Meek (1995), in place, until none applies."""
    changed = True
    while changed:
        changed = False
        adjacent = marks != 0
        for i, j in np.argwhere((marks == CIRCLE) & (marks.T == CIRCLE)):
            directed = (marks == ARROW) & (marks.T == TAIL)
            if marks[i, j] == CIRCLE and _must_point(int(i), int(j), marks, directed, adjacent):
                marks[i, j], marks[j, i] = ARROW, TAIL
                changed = True


def _must_point(
    i: int, j: int, marks: np.ndarray, directed: np.ndarray, adjacent: np.ndarray
) -> bool:
    """Return whether the open edge i – j must be i → j."""
    into_i = marks[:, i] == ARROW
    if (into_i & ~adjacent[:, j]).any():  # else j → i would make a new collider
        return True
    if (directed[i] & directed[:, j]).any():  # else there would be a cycle
        return True
    open_to_i = (marks[i] == CIRCLE) & (marks[:, i] == CIRCLE)
    parents = np.flatnonzero(open_to_i & directed[:, j])
    if any(not adjacent[a, b] for a in parents for b in parents if a < b):
        return True
    # k – i, k → m → j, i adjacent to m, k not to j.
    return any(
        not adjacent[k, j] and (directed[k] & directed[:, j] & adjacent[i]).any()
        for k in np.flatnonzero(open_to_i)
    )

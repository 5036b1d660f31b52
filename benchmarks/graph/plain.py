"""causal-learn's searches as they come, with their defaults, on columns as they are."""

from collections.abc import Callable

import numpy as np

from benchmarks.graph.silence import silence
from benchmarks.graph.truth import ARROW, CIRCLE, TAIL


def plain_pc(columns: np.ndarray) -> np.ndarray:
    """Return the marks (L, L) that PC with Fisher's Z finds in columns (rows, L)."""
    from causallearn.search.ConstraintBased.PC import pc

    with silence():
        found = pc(columns, show_progress=False)
    return undirected_is_open(found.G.graph.T)


def plain_fci(columns: np.ndarray) -> np.ndarray:
    """Return the marks (L, L) that FCI with Fisher's Z finds in columns (rows, L)."""
    from causallearn.search.ConstraintBased.FCI import fci

    with silence():
        graph, _ = fci(columns, show_progress=False)
    return graph.graph.T.astype(np.int8)


def plain_boss(columns: np.ndarray) -> np.ndarray:
    """Return the marks (L, L) that BOSS with the linear BIC score finds in columns (rows, L)."""
    from causallearn.search.PermutationBased.BOSS import boss

    with silence():
        graph = boss(columns, verbose=False)
    return undirected_is_open(graph.graph.T)


def plain_lingam(columns: np.ndarray) -> np.ndarray:
    """Return the marks (L, L) of the directed graph of DirectLiNGAM in columns (rows, L)."""
    from causallearn.search.FCMBased.lingam import DirectLiNGAM

    model = DirectLiNGAM()
    with silence():
        model.fit(columns)
    joined = (model.adjacency_matrix_ != 0).T  # at (cause, effect)
    marks = np.zeros(joined.shape, np.int8)
    marks[joined], marks[joined.T] = ARROW, TAIL
    return marks


PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain PC": plain_pc,
    "plain FCI": plain_fci,
    "plain BOSS": plain_boss,
    "plain DirectLiNGAM": plain_lingam,
}


def undirected_is_open(marks: np.ndarray) -> np.ndarray:
    """Return the marks of a CPDAG, whose undirected edges (two tails) mean "cannot be told"."""
    marks = marks.astype(np.int8)
    undirected = (marks == TAIL) & (marks.T == TAIL)
    marks[undirected] = CIRCLE
    return marks

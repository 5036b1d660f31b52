"""What is true of a known model, and what observations could at best tell of it."""

from dataclasses import dataclass
from itertools import combinations

import networkx as nx
import numpy as np

from benchmarks.graph.known_models import KnownModel
from benchmarks.graph.silence import silence

NONE, TAIL, ARROW, CIRCLE = 0, -1, 1, 2


@dataclass(frozen=True)
class Truth:
    """The truth about L observed columns.

    Attributes:
        observable: int8 (L, L), the partial ancestral graph: the mark at column j of the edge i – j
            in row i, as the searches give it.
        causes: bool (L, L), whether column i is a cause of column j, directly or through others.
    """

    observable: np.ndarray
    causes: np.ndarray


def truth_of(model: KnownModel) -> Truth:
    """Return the truth about a model.

    The partial ancestral graph is what causal-learn's FCI answers, without a limit on the
    conditioning sets, when d-separation in the true graph takes the place of the tests.
    """
    from causallearn.search.ConstraintBased.FCI import fci

    from glance_pipeline.causal.fci_search import StableName

    names = [*model.observed, *sorted(set(model.causes) - set(model.observed))]
    numbers = {name: number for number, name in enumerate(names)}
    observed = len(model.observed)
    with silence():
        graph, _ = fci(
            np.zeros((2, observed)),
            "d_separation",
            alpha=0.5,
            true_dag=nx.relabel_nodes(model.causes, numbers),
            show_progress=False,
            node_names=[StableName(f"{number:06d}") for number in range(observed)],
        )
    causes = np.zeros((observed, observed), bool)
    for i, one in enumerate(model.observed):
        below = nx.descendants(model.causes, one)
        causes[i] = [name in below for name in model.observed]
    return Truth(graph.graph.T.astype(np.int8), causes)


def directed_graph(model: KnownModel) -> np.ndarray:
    """Return the marks of the true graph over the observed columns, where nothing is hidden."""
    marks = np.zeros((len(model.observed),) * 2, np.int8)
    for (i, one), (j, other) in combinations(enumerate(model.observed), 2):
        if model.causes.has_edge(one, other):
            marks[i, j], marks[j, i] = ARROW, TAIL
        elif model.causes.has_edge(other, one):
            marks[i, j], marks[j, i] = TAIL, ARROW
    return marks

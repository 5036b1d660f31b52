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
    """Return the truth about a model."""
    observed = len(model.observed)
    causes = np.zeros((observed, observed), bool)
    for i, one in enumerate(model.observed):
        below = nx.descendants(model.causes, one)
        causes[i] = [name in below for name in model.observed]
    return Truth(_observable(model), causes)


def separating_set(model: KnownModel, one: str, other: str) -> set[str] | None:
    """Return observed variables that separate two of them, None if none do.

    Where any set of observed variables d-separates two of them, those of their causes that are
    observed do (Richardson and Spirtes 2002, §4.2.1).
    """
    causes = nx.ancestors(model.causes, one) | nx.ancestors(model.causes, other)
    given = causes & set(model.observed) - {one, other}
    return given if nx.is_d_separator(model.causes, {one}, {other}, given) else None


def _observable(model: KnownModel) -> np.ndarray:
    """Return the partial ancestral graph of the observed variables, all arrowheads and some tails.

    Adjacencies and separating sets are read off the true graph; then come causal-learn's
    orientation rules R0 to R4, which find every arrowhead (Zhang 2008, theorem 3), and R8. Tails
    that only R9 and R10 find stay circles, which no score here counts. causal-learn's own
    ``fci``, with d-separation for a test, claims false tails in three of 200 random models, by R5
    and R10.
    """
    from causallearn.graph.Edge import Edge
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased import FCI
    from causallearn.utils.cit import CIT

    number = {name: index for index, name in enumerate(model.observed)}
    nodes = [GraphNode(f"{index:06d}") for index in number.values()]
    graph, separating = GeneralGraph(nodes), {}
    for one, other in combinations(model.observed, 2):
        i, j = number[one], number[other]
        given = separating_set(model, one, other)
        if given is None:
            graph.add_edge(Edge(nodes[i], nodes[j], Endpoint.CIRCLE, Endpoint.CIRCLE))
        else:
            separating[i, j] = separating[j, i] = {number[name] for name in given}
    hidden = sorted(set(model.causes) - set(model.observed))
    numbers = number | {name: len(number) + index for index, name in enumerate(hidden)}
    data = np.zeros((2, len(nodes)))
    test = CIT(data, "d_separation", true_dag=nx.relabel_nodes(model.causes, numbers))
    with silence():
        FCI.rule0(graph, nodes, separating, None, False)
        changed = True
        while changed:
            changed = FCI.rulesR1R2cycle(graph, None, False)
            changed = FCI.ruleR3(graph, separating, None, changed)
            changed = FCI.ruleR4B(graph, -1, data, test, 0.5, separating, changed, None)
            changed = FCI.rule8(graph, nodes, changed)
    return graph.graph.T.astype(np.int8)


def directed_graph(model: KnownModel) -> np.ndarray:
    """Return the marks of the true graph over the observed columns, where nothing is hidden."""
    marks = np.zeros((len(model.observed),) * 2, np.int8)
    for (i, one), (j, other) in combinations(enumerate(model.observed), 2):
        if model.causes.has_edge(one, other):
            marks[i, j], marks[j, i] = ARROW, TAIL
        elif model.causes.has_edge(other, one):
            marks[i, j], marks[j, i] = TAIL, ARROW
    return marks

"""Fast causal inference, of causal-learn's parts. Imports causal-learn: import this late."""

from itertools import combinations

import numpy as np
from causallearn.graph.Edge import Edge
from causallearn.graph.Endpoint import Endpoint
from causallearn.graph.GeneralGraph import GeneralGraph
from causallearn.graph.GraphNode import GraphNode
from causallearn.search.ConstraintBased import FCI
from causallearn.utils.FAS import fas

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.knowledge import Facts
from glance_pipeline.graph.search.algorithms.independence import ResampledTest, node_names
from glance_pipeline.graph.search.correlations import Sample

SeparatingSets = dict[tuple[int, int], set[int]]


def search_fci(
    sample: Sample, settings: GraphSearchParameters, facts: Facts, seed: np.random.SeedSequence
) -> np.ndarray:
    """Return the partial ancestral graph of a sample, by FCI (Spirtes 2000, Zhang 2008).

    The steps are those of causal-learn's ``fci``, one by one, and so is the result where nothing is
    known beforehand, with these exceptions: of the possible-d-separating sets of each size, ``fci``
    passes over the first, since its generator changes in place what it handed out, and it looks up
    what separates a pair one way round only; rules that are unsound there or of no use here are
    left out, and R4 is not passed over where R1 to R3 find nothing (``_orient``). Put together
    here the steps print nothing, whereas ``fci`` prints edges; they take in what the user knows
    without turning ``Z o-> Y`` into ``Z --> Y``, as ``fci`` does; and possible-d-separating sets
    are tried up to ``settings.depth``, where ``fci`` walks through every subset of them, a number
    that doubles with each node.

    Args:
        sample: correlations of L nodes.
        settings: level ``alpha``, largest conditioning set ``depth``.
        facts: marks that the user knows; set after the colliders, before the rules R1 to R9.
        seed: not used.

    Returns:
        int8 (L, L), as ``search`` has it.
    """
    nodes = [GraphNode(name) for name in node_names(len(sample))]
    test = ResampledTest(sample, settings.depth)
    alpha = settings.alpha
    graph, separating, _ = fas(
        test.data, nodes, test, alpha=alpha, depth=settings.depth, show_progress=False
    )
    FCI.rule0(graph, nodes, separating, None, False)
    _remove_by_possible_d_separation(graph, test, alpha, separating)
    FCI.rule0(graph, nodes, separating, None, False)
    _set_known_marks(graph, facts)
    _orient(graph, nodes, test, alpha, separating)
    _set_known_marks(graph, facts)  # R4 sets arrowheads whatever was there
    return graph.graph.T.astype(np.int8)


def _remove_by_possible_d_separation(
    graph: GeneralGraph, test: ResampledTest, alpha: float, separating: SeparatingSets
) -> None:
    """Remove edges whose ends are independent given some of a possible-d-separating set."""
    index = graph.get_node_map()
    for edge in graph.get_graph_edges():
        one, other = edge.get_node1(), edge.get_node2()
        beside = [{index[n] for n in graph.get_adjacent_nodes(end)} for end in (one, other)]
        for first, second in ((one, other), (other, one)):
            candidates = [index[n] for n in FCI.getPossibleDsep(first, second, graph, -1)]
            given = _separating(candidates, beside, (index[one], index[other]), test, alpha)
            if given is not None:
                graph.remove_edge(edge)
                # The collider rule asks for a pair in the order of its nodes, whichever that is.
                separating[index[one], index[other]] = given
                separating[index[other], index[one]] = given
                break


def _separating(
    candidates: list[int],
    beside: list[set[int]],
    pair: tuple[int, int],
    test: ResampledTest,
    alpha: float,
) -> set[int] | None:
    for size in range(2, min(len(candidates), test.largest_set) + 1):
        for given in combinations(candidates, size):
            # Neighbours of either end alone were tried by the adjacency search.
            if any(neighbours.issuperset(given) for neighbours in beside):
                continue
            if test(*pair, given) > alpha:
                return set(given)
    return None


def _set_known_marks(graph: GeneralGraph, facts: Facts) -> None:
    known = facts.marks()
    nodes = graph.get_nodes()
    for i, j in combinations(range(len(nodes)), 2):
        edge = graph.get_edge(nodes[i], nodes[j])
        if edge is None or not (known[i, j] or known[j, i]):
            continue
        at_i, at_j = (
            Endpoint(int(known[other, end])) if known[other, end] else found
            for other, end, found in (
                (j, i, edge.get_proximal_endpoint(nodes[i])),
                (i, j, edge.get_proximal_endpoint(nodes[j])),
            )
        )
        graph.remove_edge(edge)
        graph.add_edge(Edge(nodes[i], nodes[j], at_i, at_j))


def _orient(
    graph: GeneralGraph,
    nodes: list[GraphNode],
    test: ResampledTest,
    alpha: float,
    separating: SeparatingSets,
) -> None:
    """Follow the rules R1 to R4, R8 and R9 of Zhang (2008) until none applies.

    In causal-learn's order, but that follows R4 only where R1 to R3 changed something. R5 to R7 are
    about selection, which there is none of here (every image is a row), and causal-learn's R10
    accepts paths that are covered: with d-separation for a test, its R5 and R10 claim false tails
    in some random models. Without R10 a few tails stay circles.
    """
    changed = True
    while changed:
        changed = FCI.rulesR1R2cycle(graph, None, False)
        changed = FCI.ruleR3(graph, separating, None, changed)
        changed = FCI.ruleR4B(graph, -1, test.data, test, alpha, separating, changed, None, False)
        changed = FCI.rule8(graph, nodes, changed)
        changed = FCI.rule9(graph, nodes, changed)

"""How far a discovered graph is from a known one."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.comparison import arrowheads_by_pair


@dataclass(frozen=True)
class GraphDistance:
    """Structural Hamming distance and what it is made of.

    Attributes:
        missing: pairs that are joined in the known graph alone.
        extra: pairs that are joined in the discovered graph alone.
        arrowheads: pairs joined in both, with an arrowhead at an end where the other has none.
    """

    missing: tuple[tuple[str, str], ...]
    extra: tuple[tuple[str, str], ...]
    arrowheads: tuple[tuple[str, str], ...]

    @property
    def total(self) -> int:
        """The structural Hamming distance: each pair of nodes counts once."""
        return len(self.missing) + len(self.extra) + len(self.arrowheads)


def structural_hamming_distance(graph: CausalGraph, known: Mapping[str, Any]) -> GraphDistance:
    """Compare a discovered graph with what observations can tell of a known one.

    Both are read as sets of pairs with marks, over the known graph's nodes alone: concepts that
    the known graph does not speak of are left out, and a known node that was not discovered (its
    concept was pruned) has no edges. Each pair adds 1 where it is joined in one graph only, or
    joined in both with different arrowheads. The reference is the known graph's partial ancestral
    graph, so a direction that no observation could tell is an error when it is claimed, and an
    arrowhead that is compelled (a collider's) is one when it is missed. Tails and circles are not
    told apart. After Tsamardinos, Brown, Aliferis (2006), there for directed graphs.

    Args:
        graph: discovered.
        known: ``nodes`` (names) and ``observable_edges``, each a mapping with ``source``,
            ``target``, ``mark_at_source``, ``mark_at_target``: the ``known_graph`` dataset.

    Raises:
        ValueError: if no node of the known graph is one of the discovered graph.
    """
    nodes = list(known["nodes"])
    names = [node.name for node in graph.nodes]
    if not set(nodes) & set(names):
        raise ValueError(f"the known graph speaks of {nodes}, none of which is among {names}")
    wanted = {
        frozenset((edge["source"], edge["target"])): _arrowheads(**edge)
        for edge in known["observable_edges"]
    }
    found = arrowheads_by_pair(graph.edges)
    missing, extra, arrowheads = [], [], []
    for pair in combinations(nodes, 2):
        key = frozenset(pair)
        if key in wanted and key not in found:
            missing.append(pair)
        elif key in found and key not in wanted:
            extra.append(pair)
        elif key in found and found[key] != wanted[key]:
            arrowheads.append(pair)
    return GraphDistance(tuple(missing), tuple(extra), tuple(arrowheads))


def _arrowheads(
    source: str, target: str, mark_at_source: str, mark_at_target: str
) -> frozenset[str]:
    """Return the ends of an edge that have an arrowhead."""
    ends = ((source, mark_at_source), (target, mark_at_target))
    return frozenset(name for name, mark in ends if mark == "arrow")

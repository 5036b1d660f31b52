"""Where the graph that a classifier perceives and the data's own graph differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge

Difference = Literal["same", "arrowheads", "only_data", "only_perceived"]


@dataclass(frozen=True)
class GraphComparison:
    """Pairs of features that both searches could use, by how the graphs agree on them.

    Attributes:
        features: that are compared, in the order of the data's graph.
        same: pairs joined in both with the same arrowheads; tails and circles are not told apart.
        arrowheads: pairs joined in both with different arrowheads.
        only_data: pairs joined in the data's graph alone.
        only_perceived: pairs joined in the perceived graph alone.
        left_out: reason by name of each feature that is not compared.
    """

    features: tuple[str, ...]
    same: tuple[tuple[str, str], ...]
    arrowheads: tuple[tuple[str, str], ...]
    only_data: tuple[tuple[str, str], ...]
    only_perceived: tuple[tuple[str, str], ...]
    left_out: Mapping[str, str]

    def difference(self, one: str, other: str) -> Difference | None:
        """Return how the graphs agree on a pair; None if neither joins it."""
        kinds: tuple[Difference, ...] = ("same", "arrowheads", "only_data", "only_perceived")
        for kind in kinds:
            if {one, other} in map(set, getattr(self, kind)):
                return kind
        return None


def compare_graphs(perceived: CausalGraph, data: CausalGraph) -> GraphComparison:
    """Compare two graphs over the features that both searches could use.

    Of a surrogate that is no twin nothing is compared. Latent concepts and predictions are no
    features. A feature that one search left out (its
    concept was pruned or excluded, or its values are missing) is not compared: that there is no
    edge says nothing there.
    """
    left_out = _left_out(perceived, data)
    features = tuple(n.name for n in data.of_kind("aligned") if n.name not in left_out)
    wanted, found = (arrowheads_by_pair(graph.edges) for graph in (data, perceived))
    pairs: dict[Difference, list[tuple[str, str]]] = {
        "same": [],
        "arrowheads": [],
        "only_data": [],
        "only_perceived": [],
    }
    for pair in combinations(features, 2):
        key = frozenset(pair)
        if key in wanted and key in found:
            pairs["same" if wanted[key] == found[key] else "arrowheads"].append(pair)
        elif key in wanted:
            pairs["only_data"].append(pair)
        elif key in found:
            pairs["only_perceived"].append(pair)
    kinds = {kind: tuple(each) for kind, each in pairs.items()}
    return GraphComparison(features, **kinds, left_out=left_out)


def arrowheads_by_pair(edges: Iterable[Edge]) -> dict[frozenset[str], frozenset[str]]:
    """Return, for each joined pair of nodes, those of the two that have an arrowhead."""
    return {
        frozenset((edge.source, edge.target)): frozenset(
            name
            for name, mark in (
                (edge.source, edge.mark_at_source),
                (edge.target, edge.mark_at_target),
            )
            if mark == "arrow"
        )
        for edge in edges
    }


def _left_out(perceived: CausalGraph, data: CausalGraph) -> dict[str, str]:
    concepts = {node.name for node in perceived.of_kind("aligned")}
    features = {node.name for node in data.of_kind("aligned")}
    if perceived.gate is not None and not perceived.gate.passed:
        return dict.fromkeys(sorted(features | concepts), "the surrogate is no twin")
    reasons = {name: f"in the data: {why}" for name, why in data.search.exclusions.items()}
    for name in features - concepts:
        reasons.setdefault(name, "no active concept of the surrogate")
    for name in concepts - features:
        reasons.setdefault(name, "no feature of the data")
    for name, why in perceived.search.exclusions.items():
        if name in concepts:
            reasons.setdefault(name, f"among the concepts: {why}")
    return {name: reasons[name] for name in sorted(reasons)}

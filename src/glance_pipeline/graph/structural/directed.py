"""Directed acyclic graphs: what follows from what."""

from collections.abc import Iterable

import networkx as nx

Dag = tuple[tuple[str, str], ...]
"""Edges (cause, effect), sorted."""


def digraph(nodes: Iterable[str], dag: Dag) -> nx.DiGraph:
    """Return the graph with all nodes, those without edges as well."""
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(dag)
    return graph


def families(nodes: tuple[str, ...], dag: Dag) -> list[tuple[str, tuple[str, ...]]]:
    """Return each node with its sorted causes."""
    return [(n, tuple(sorted(cause for cause, effect in dag if effect == n))) for n in nodes]


def descendants(dag: Dag, names: Iterable[str]) -> list[str]:
    """Return what an intervention on ``names`` moves, beside these themselves; sorted."""
    graph = digraph(names, dag)
    return sorted(set().union(*(nx.descendants(graph, name) for name in names)) - set(names))


def on_the_way(dag: Dag, cause: str, effect: str) -> list[str]:
    """Return the descendants of ``cause`` that ``effect`` follows from, itself among them."""
    return [
        name
        for name in descendants(dag, [cause])
        if name == effect or effect in descendants(dag, [name])
    ]


def edges_into(dag: Dag, names: list[str]) -> Dag:
    """Return the edges into some nodes: all that what they become depends on."""
    return tuple(edge for edge in dag if edge[1] in names)

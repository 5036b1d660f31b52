"""The directed acyclic graphs that the marks of a concept graph allow.

A partial ancestral graph leaves open what observations cannot tell. Here each edge becomes an arrow
or, where a hidden common cause may be all there is, no arrow:

==========  =====================================================
a --> b     a → b
a o-> b     a → b, or no arrow
a <-> b     no arrow
a o-o b     a → b, or a ← b
==========  =====================================================

What is kept has no cycle; no unshielded collider that the graph does not have, for the data would
have shown it (Zhang 2008, "On the completeness of orientation rules", whose theorem 2 turns ``o->``
into arrows and the rest into such a graph); and no ancestor at the other end of an edge without an
arrow, whose marks say that neither causes the other. Where a hidden common cause would explain an
edge ``o-o`` as well, it is not tried: the reverse arrow already has no effect from a on b.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Literal, NamedTuple

import networkx as nx

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge
from glance_pipeline.graph.structural.directed import Dag
from glance_pipeline.support.seeding import numpy_generator

_LOGGER = logging.getLogger(__name__)

Arrow = Literal["forward", "backward", "none"]
# Arrows tried before a search for all graphs is given up, and by all random searches together: a
# few seconds. One of those is given up after fewer, since a bad beginning may leave no way.
_PATIENCE = 50_000
_PATIENCE_OF_ONE = 2_000


@dataclass(frozen=True)
class AllowedGraphs:
    """What ``allowed_graphs`` found.

    Attributes:
        graphs: at least one, each a tuple of edges (cause, effect).
        complete: whether these are all that the marks allow.
        notes: in words, which marks had to be passed over because they contradict one another.
    """

    graphs: tuple[Dag, ...]
    complete: bool
    notes: tuple[str, ...]


class _Rules(NamedTuple):
    colliders: bool
    ancestors: bool


_RELAXED = {
    _Rules(True, True): "",
    _Rules(True, False): "no graph was found that keeps every '<->' without an ancestor among its "
    "ends",
    _Rules(False, False): "no graph was found that avoids every new unshielded collider",
}


def allowed_graphs(
    graph: CausalGraph, nodes: Sequence[str], largest: int, seed: int
) -> AllowedGraphs:
    """List the directed acyclic graphs that the marks allow, or a sample of them.

    A majority graph need not be a partial ancestral graph of any model. Where its marks contradict
    one another the rules are given up in turn, first that of ancestors, then that of colliders;
    of a cycle of arrows the least frequent edge is left out. Each is said in ``notes``.

    Args:
        graph: with edges between concepts; others are passed over.
        nodes: names of the concepts to take.
        largest: number of graphs at most. Where there are more, that many are drawn at random, by
            searches that try the arrows in random order; fewer where these take too long.
        seed: seed of the run.
    """
    edges = [edge for edge in graph.edges if {edge.source, edge.target} <= set(nodes)]
    notes: list[str] = []
    edges = _without_cycles(edges, notes)
    for rules, note in _RELAXED.items():
        found, complete = _all_or_some(edges, rules, largest, seed)
        if found:
            notes += [note] if note else []
            break
    for text in notes:
        _LOGGER.warning("Structural models: %s.", text)
    if not complete:
        _LOGGER.warning(
            "Structural models: the concept graph allows more graphs than the %d that "
            "discover.structural_model.largest_number_of_graphs permits, or too many to search "
            "them all; %d of them are taken at random, and ranges of effects are over these alone.",
            largest,
            len(found),
        )
    return AllowedGraphs(tuple(found), complete, tuple(notes))


def options(edge: Edge) -> list[Arrow]:
    """Return what the marks of an edge allow, an arrow before none."""
    source, target = edge.mark_at_source, edge.mark_at_target
    if source == target == "tail":  # majority marks that contradict each other: all is open
        return ["forward", "backward"]
    allowed: list[Arrow] = []
    if source != "arrow" and target != "tail":
        allowed.append("forward")
    if target != "arrow" and source != "tail":
        allowed.append("backward")
    if "arrow" in (source, target) and "tail" not in (source, target):
        allowed.append("none")
    return allowed


def _all_or_some(
    edges: list[Edge], rules: _Rules, largest: int, seed: int
) -> tuple[list[Dag], bool]:
    """Return all graphs and True, or up to ``largest`` of them drawn at random and False."""
    search = _Search(edges, rules, lambda _edge, allowed: allowed, _PATIENCE)
    found = list(islice(search.run(), largest + 1))
    if len(found) <= largest and not search.gave_up:
        return found, True
    first = found[:1]
    drawn = dict.fromkeys(first)
    generator = numpy_generator(seed, "structural model", "graphs")
    tried = 0
    for _ in range(10 * largest):
        if len(drawn) >= largest or tried >= _PATIENCE:
            break
        order = _connected([edges[i] for i in generator.permutation(len(edges))])
        search = _Search(
            order,
            rules,
            lambda _edge, allowed: list(generator.permutation(allowed)),
            _PATIENCE_OF_ONE,
        )
        drawn |= dict.fromkeys(islice(search.run(), 1))
        tried += search.tried
    return list(drawn), False


def _connected(edges: list[Edge]) -> list[Edge]:
    """Return the edges so that each shares a node with one before it, where it can.

    What an arrow forbids is then met at the next ones, and not after many others.
    """
    left, seen, order = list(edges), set[str](), []
    while left:
        chosen = next((edge for edge in left if {edge.source, edge.target} & seen), left[0])
        left.remove(chosen)
        order.append(chosen)
        seen |= {chosen.source, chosen.target}
    return order


def _without_cycles(edges: list[Edge], notes: list[str]) -> list[Edge]:
    """Leave out the least frequent edge of each cycle of arrows without a choice."""
    edges = list(edges)
    while True:
        certain = nx.DiGraph()
        for edge in edges:
            if options(edge) == ["forward"]:
                certain.add_edge(edge.source, edge.target, record=edge)
            elif options(edge) == ["backward"]:
                certain.add_edge(edge.target, edge.source, record=edge)
        try:
            cycle = nx.find_cycle(certain)
        except nx.NetworkXNoCycle:
            return edges
        records = [certain.edges[pair]["record"] for pair in cycle]
        weakest = min(records, key=lambda edge: edge.frequency or 0.0)
        edges.remove(weakest)
        notes.append(f"{weakest} is left out, the least frequent edge of a cycle of arrows")


class _Search:
    """Depth-first over the arrows of all edges, each checked against those before it.

    Args:
        edges: in the order in which they are settled, those without a choice first.
        rules: which rules hold beside that of no cycle.
        ordered: the order in which an edge's options are tried.
        patience: arrows tried before the search is given up.
    """

    def __init__(
        self,
        edges: list[Edge],
        rules: _Rules,
        ordered: Callable[[Edge, list[Arrow]], list[Arrow]],
        patience: int,
    ) -> None:
        self.edges = sorted(edges, key=lambda edge: len(options(edge)) > 1)
        self.rules = rules
        self.ordered = ordered
        self.patience = patience
        self.gave_up = False
        self.tried = 0
        self._pairs = {frozenset((e.source, e.target)) for e in edges}
        self._colliders = _unshielded_colliders(edges, self._pairs)
        self._arrows = nx.DiGraph()
        self._arrows.add_nodes_from(name for e in edges for name in (e.source, e.target))
        self._hidden: list[tuple[str, str]] = []
        self._heads: dict[str, list[str]] = {name: [] for name in self._arrows}

    def run(self) -> Iterator[Dag]:
        """Yield every graph, until patience runs out."""
        yield from self._settle(0)

    def _settle(self, index: int) -> Iterator[Dag]:
        if index == len(self.edges):
            yield tuple(sorted(self._arrows.edges))
            return
        edge = self.edges[index]
        for option in self.ordered(edge, options(edge)):
            if self.gave_up:
                return
            self.tried += 1
            if self.tried > self.patience:
                self.gave_up = True
                return
            if self._place(edge, option):
                yield from self._settle(index + 1)
            self._take_back(edge, option)

    def _place(self, edge: Edge, option: Arrow) -> bool:
        """Draw an arrow, or none, and say whether all rules still hold."""
        a, b = (edge.target, edge.source) if option == "backward" else (edge.source, edge.target)
        if option == "none":
            self._hidden.append((a, b))
            self._heads[a].append(b)
        else:
            self._arrows.add_edge(a, b)
        self._heads[b].append(a)
        ends = ((b, a), (a, b)) if option == "none" else ((b, a),)
        if self.rules.colliders and any(self._is_new_collider(*end) for end in ends):
            return False
        after = {b, *nx.descendants(self._arrows, b)}
        if option == "none":
            related = a in after or b in nx.descendants(self._arrows, a)
            return not (self.rules.ancestors and related)
        if a in after:
            return False
        if not (self.rules.ancestors and self._hidden):
            return True
        before = {a, *nx.ancestors(self._arrows, a)}
        return not any(
            (one in before and other in after) or (other in before and one in after)
            for one, other in self._hidden
        )

    def _take_back(self, edge: Edge, option: Arrow) -> None:
        a, b = (edge.target, edge.source) if option == "backward" else (edge.source, edge.target)
        self._heads[b].remove(a)
        if option == "none":
            self._heads[a].remove(b)
            self._hidden.remove((a, b))
        else:
            self._arrows.remove_edge(a, b)

    def _is_new_collider(self, middle: str, end: str) -> bool:
        """Say whether ``end`` and another meet at ``middle`` as they do not in the graph."""
        return any(
            other != end
            and frozenset((end, other)) not in self._pairs
            and (middle, frozenset((end, other))) not in self._colliders
            for other in self._heads[middle]
        )


def _unshielded_colliders(
    edges: list[Edge], pairs: set[frozenset[str]]
) -> set[tuple[str, frozenset[str]]]:
    """Return (middle, {end, end}) of each collider whose ends are not joined."""
    heads: dict[str, list[str]] = {}
    for edge in edges:
        if edge.mark_at_source == "arrow":
            heads.setdefault(edge.source, []).append(edge.target)
        if edge.mark_at_target == "arrow":
            heads.setdefault(edge.target, []).append(edge.source)
    return {
        (middle, frozenset(ends))
        for middle, others in heads.items()
        for ends in combinations(others, 2)
        if frozenset(ends) not in pairs
    }

"""Where boxes and edges of the causal graph lie, whatever draws them.

Two columns, concepts and predictions. Edges among concepts are arcs beside their column, concept →
prediction edges lie between the columns, so that the two kinds never cross. Every edge has a place
of its own at both ends, and a box is as high as its edges need. Heights are in inches and rise; how
wide things are is for who draws to say.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node

ROW = 0.82
"""From the middle of one box to the middle of the next, where both are as low as can be."""

_HEIGHT = 0.62  # of a box at least
_BETWEEN = ROW - _HEIGHT  # from one box to the next
_PITCH = 0.14  # from one edge to the next along a box; nearer their marks overlap


@dataclass(frozen=True)
class Box:
    """A node with the height of its middle, and its own height."""

    node: Node
    y: float
    height: float


@dataclass(frozen=True)
class Route:
    """An edge with the heights at which it meets its source and its target.

    Attributes:
        edge: edge of the graph.
        at_source: where it meets its source's box.
        at_target: where it meets its target's box.
        rows: how far apart the middles of the two boxes are, in rows.
    """

    edge: Edge
    at_source: float
    at_target: float
    rows: float


@dataclass(frozen=True)
class Layout:
    """What of a graph is drawn, and at which height.

    Attributes:
        height: height of the columns.
        concepts: boxes of one column, the first on top.
        sinks: boxes of the other.
        arcs: edges among concepts, weak ones first so that strong ones lie on top.
        to_sinks: concept → prediction edges, likewise.
        others: the remaining edges, which are for a drawing that can show them on demand: their
            places are spread over the boxes without regard to those of the other edges.
    """

    height: float
    concepts: tuple[Box, ...]
    sinks: tuple[Box, ...]
    arcs: tuple[Route, ...]
    to_sinks: tuple[Route, ...]
    others: tuple[Route, ...]


def lay_out(graph: CausalGraph, settings: FigureParameters) -> Layout:
    """Place all nodes, all edges among concepts and the strongest ones to each prediction.

    Args:
        graph: the whole graph.
        settings: how many edges of each verdict a prediction shows.
    """
    concepts, sinks = graph.of_kind("aligned", "latent"), graph.of_kind("prediction")
    between = [e for e in graph.edges if e.verdict is None]
    to_sinks = _strongest(graph, sinks, settings)
    heights = _heights([*concepts, *sinks], between, to_sinks)
    height = max(_column(concepts, heights), _column(sinks, heights), 4 * ROW)
    y = _stack(concepts, heights, height) | _stack(sinks, heights, height)
    return Layout(
        height,
        tuple(Box(node, y[node.name], heights[node.name]) for node in concepts),
        tuple(Box(node, y[node.name], heights[node.name]) for node in sinks),
        tuple(sorted(_arcs(between, y), key=lambda route: abs(route.edge.strength))),
        tuple(_routes_to_sinks(to_sinks, y)),
        tuple(_remaining(graph, to_sinks, y, heights)),
    )


def _strongest(graph: CausalGraph, sinks: Sequence[Node], settings: FigureParameters) -> list[Edge]:
    """Return the edges to draw for each sink, weak ones first so that strong ones lie on top."""
    chosen: list[Edge] = []
    for sink in sinks:
        for verdict, number in (
            ("only_associated", settings.associated_per_class),
            ("cannot_be_told", settings.untold_per_class),
            ("used", settings.used_per_class),
        ):
            edges = [e for e in graph.edges if e.target == sink.name and e.verdict == verdict]
            chosen += sorted(edges, key=lambda e: -abs(e.strength))[:number]
    return sorted(chosen, key=lambda e: (e.verdict == "used", abs(e.strength)))


def _heights(
    nodes: Sequence[Node], between: Sequence[Edge], to_sinks: Sequence[Edge]
) -> dict[str, float]:
    """Return the height of each node's box, enough for the edges at its fuller side."""
    arcs = Counter(name for edge in between for name in (edge.source, edge.target))
    others = Counter(name for edge in to_sinks for name in (edge.source, edge.target))
    return {
        node.name: max(_HEIGHT, _PITCH * max(arcs[node.name], others[node.name]) + 0.06)
        for node in nodes
    }


def _column(nodes: Sequence[Node], heights: dict[str, float]) -> float:
    """Return the height that a column of boxes needs."""
    return sum(heights[node.name] + _BETWEEN for node in nodes)


def _stack(nodes: Sequence[Node], heights: dict[str, float], height: float) -> dict[str, float]:
    """Spread boxes over a column, the first on top, and return the height of each one's middle."""
    between = _BETWEEN + (height - _column(nodes, heights)) / max(len(nodes), 1)
    y, top = {}, height
    for node in nodes:
        y[node.name] = top - between / 2 - heights[node.name] / 2
        top -= between + heights[node.name]
    return y


def _places(
    ends: Sequence[tuple[str, int, float]], y: dict[str, float]
) -> dict[tuple[str, int], float]:
    """Give each end of an edge a height of its own along the side of its box.

    Args:
        ends: (node, edge number, order); ends of one node lie from low to high order.
        y: height of each node's middle.
    """
    by_node: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for node, number, order in ends:
        by_node[node].append((order, number))
    places = {}
    for node, numbers in by_node.items():
        for k, (_, number) in enumerate(sorted(numbers)):
            places[node, number] = y[node] + _PITCH * (k - (len(numbers) - 1) / 2)
    return places


def _arcs(edges: Sequence[Edge], y: dict[str, float]) -> list[Route]:
    """Route the edges among concepts."""
    ends = []
    for number, edge in enumerate(edges):
        for node, other in ((edge.source, edge.target), (edge.target, edge.source)):
            # Arcs that go up leave above those that go down; the longest is the innermost.
            span = y[other] - y[node]
            ends.append((node, number, 1 / span))
    return _routed(edges, _places(ends, y), y)


def _routes_to_sinks(edges: Sequence[Edge], y: dict[str, float]) -> list[Route]:
    """Route the concept → prediction edges."""
    ends = []
    for number, edge in enumerate(edges):
        ends.append((edge.source, number, y[edge.target]))
        ends.append((edge.target, number, y[edge.source]))
    return _routed(edges, _places(ends, y), y)


def _remaining(
    graph: CausalGraph, drawn: Sequence[Edge], y: dict[str, float], heights: dict[str, float]
) -> list[Route]:
    """Route the concept → prediction edges that are not among those drawn."""
    edges = [e for e in graph.edges if e.verdict is not None and e not in drawn]
    by_node: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for number, edge in enumerate(edges):
        by_node[edge.source].append((y[edge.target], number))
        by_node[edge.target].append((y[edge.source], number))
    places = {
        (node, number): y[node] + heights[node] * ((k + 0.5) / len(numbers) - 0.5)
        for node, numbers in by_node.items()
        for k, (_, number) in enumerate(sorted(numbers))
    }
    return _routed(edges, places, y)


def _routed(
    edges: Sequence[Edge], places: dict[tuple[str, int], float], y: dict[str, float]
) -> list[Route]:
    return [
        Route(
            edge,
            places[edge.source, number],
            places[edge.target, number],
            abs(y[edge.source] - y[edge.target]) / ROW,
        )
        for number, edge in enumerate(edges)
    ]

"""The causal graph as a figure: concepts in one column, predictions as sinks in another.

Edges among concepts are arcs to the left of their column, concept → prediction edges lie between
the columns, so that the two kinds never cross. Every edge has a place of its own at both ends, and
a box is as high as its edges need.
"""

import textwrap
from collections import Counter, defaultdict

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from glance_pipeline.causal.figure_edges import INK, Place, draw_edge
from glance_pipeline.causal.figure_text import (
    LINE,
    draw_legend,
    interaction_lines,
    write_lines,
    write_titles,
)
from glance_pipeline.causal.graph import CausalGraph, Edge, Node
from glance_pipeline.config.discover import FigureParameters

_FILL = {"aligned": "#CFE8DC", "latent": "#E8E8E8", "prediction": "#FBF0C4"}

_WIDTH, _HEIGHT = 1.5, 0.62  # of a concept's box at least, in inches
_SINK_WIDTH = 0.95
_BETWEEN = 0.2  # from one box to the next
_ROW = _HEIGHT + _BETWEEN
_GAP = 4.6  # between the columns
_PITCH = 0.14  # from one edge to the next along a box; nearer their marks overlap
_LEGEND = 0.9


def draw_graph(graph: CausalGraph, settings: FigureParameters) -> Figure:
    """Draw the graph.

    Width stands for strength, opacity for stability, colour for sign, a dashed line for a
    prediction that is only associated, black marks for background knowledge, a dotted arrow beside
    an edge for a suggestion. For each class the strongest edges of either verdict are drawn, and
    the strongest interactions listed, as many as ``settings`` say; the JSON has all of them.
    """
    concepts, sinks = graph.of_kind("aligned", "latent"), graph.of_kind("prediction")
    between = [e for e in graph.edges if e.verdict is None]
    to_sinks = _strongest(graph, sinks, settings)
    heights = _heights([*concepts, *sinks], between, to_sinks)
    height = max(_column(concepts, heights), _column(sinks, heights), 4 * _ROW)
    y = _stack(concepts, heights, height) | _stack(sinks, heights, height)
    lines = interaction_lines(graph, settings.interactions)
    arc = 0.5 + 0.26 * max((abs(y[e.source] - y[e.target]) for e in between), default=1) / _ROW
    left, right = -arc - 0.35, _WIDTH + _GAP + _SINK_WIDTH + 0.2
    low, high = -_LEGEND - LINE * len(lines), height + 0.75
    figure = Figure(figsize=(right - left, high - low), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(low, high))
    axes.set_axis_off()
    _draw_arcs(axes, between, y)
    _draw_to_sinks(axes, to_sinks, y)
    for node in concepts:
        _draw_node(axes, node, Place(0.0, y[node.name]), _WIDTH, heights[node.name])
    for node in sinks:
        place = Place(_WIDTH + _GAP, y[node.name])
        _draw_node(axes, node, place, _SINK_WIDTH, heights[node.name])
    middle_of_sinks = _WIDTH + _GAP + _SINK_WIDTH / 2
    write_titles(axes, graph, height, _WIDTH / 2, middle_of_sinks, len(to_sinks))
    write_lines(axes, lines, (left + right) / 2, 0.0)
    draw_legend(axes, graph)
    return figure


def _strongest(graph: CausalGraph, sinks: list[Node], settings: FigureParameters) -> list[Edge]:
    """Return the edges to draw for each sink, weak ones first so that strong ones lie on top."""
    chosen: list[Edge] = []
    for sink in sinks:
        for verdict, number in (
            ("only_associated", settings.associated_per_class),
            ("used", settings.used_per_class),
        ):
            edges = [e for e in graph.edges if e.target == sink.name and e.verdict == verdict]
            chosen += sorted(edges, key=lambda e: -abs(e.strength))[:number]
    return sorted(chosen, key=lambda e: (e.verdict == "used", abs(e.strength)))


def _heights(nodes: list[Node], between: list[Edge], to_sinks: list[Edge]) -> dict[str, float]:
    """Return the height of each node's box, enough for the edges at its fuller side."""
    arcs = Counter(name for edge in between for name in (edge.source, edge.target))
    others = Counter(name for edge in to_sinks for name in (edge.source, edge.target))
    return {
        node.name: max(_HEIGHT, _PITCH * max(arcs[node.name], others[node.name]) + 0.06)
        for node in nodes
    }


def _column(nodes: list[Node], heights: dict[str, float]) -> float:
    """Return the height that a column of boxes needs."""
    return sum(heights[node.name] + _BETWEEN for node in nodes)


def _stack(nodes: list[Node], heights: dict[str, float], height: float) -> dict[str, float]:
    """Spread boxes over a column, the first on top, and return the height of each one's middle."""
    between = _BETWEEN + (height - _column(nodes, heights)) / max(len(nodes), 1)
    y, top = {}, height
    for node in nodes:
        y[node.name] = top - between / 2 - heights[node.name] / 2
        top -= between + heights[node.name]
    return y


def _places(
    ends: list[tuple[str, int, float]], y: dict[str, float]
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


def _draw_arcs(axes: Axes, edges: list[Edge], y: dict[str, float]) -> None:
    """Draw the edges among concepts as arcs to the left of their column."""
    ends = []
    for number, edge in enumerate(edges):
        for node, other in ((edge.source, edge.target), (edge.target, edge.source)):
            # Arcs that go up leave above those that go down; the longest is the innermost.
            span = y[other] - y[node]
            ends.append((node, number, 1 / span))
    places = _places(ends, y)
    for number, edge in sorted(enumerate(edges), key=lambda item: abs(item[1].strength)):
        start = Place(0.0, places[edge.source, number])
        end = Place(0.0, places[edge.target, number])
        reach = 0.45 + 0.35 * abs(y[edge.source] - y[edge.target]) / _ROW
        draw_edge(axes, edge, start, end, -reach, -reach)


def _draw_to_sinks(axes: Axes, edges: list[Edge], y: dict[str, float]) -> None:
    """Draw the concept → prediction edges between the two columns."""
    ends = []
    for number, edge in enumerate(edges):
        ends.append((edge.source, number, y[edge.target]))
        ends.append((edge.target, number, y[edge.source]))
    places = _places(ends, y)
    for number, edge in enumerate(edges):
        start = Place(_WIDTH, places[edge.source, number])
        end = Place(_WIDTH + _GAP, places[edge.target, number])
        draw_edge(axes, edge, start, end, 0.4 * _GAP, -0.4 * _GAP)


def _draw_node(axes: Axes, node: Node, at: Place, width: float, height: float) -> None:
    """Draw a box with the node's label, unit and number of levels."""
    style = "round,pad=0,rounding_size=0.12" if node.kind == "latent" else "square,pad=0"
    box = FancyBboxPatch(
        (at.x, at.y - height / 2),
        width,
        height,
        boxstyle=style,
        facecolor=_FILL[node.kind],
        edgecolor=INK,
        linewidth=1.0,
        zorder=5,
    )
    axes.add_patch(box)
    text = textwrap.fill(node.label, int(13 * width), max_lines=2, placeholder="…")
    if node.levels:
        text += f"\n{len(node.levels)} levels"
    elif node.unit and node.kind == "aligned":
        text += f"\n[{node.unit}]"
    middle = at.x + width / 2
    axes.text(middle, at.y, text, ha="center", va="center", color=INK, size=9, zorder=7)

"""The causal graph as a figure: concepts in one column, predictions as sinks in another.

Edges among concepts are arcs to the left of their column, concept → prediction edges lie between
the columns, so that the two kinds never cross. Every edge has a place of its own at both ends.
"""

from collections import defaultdict
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from glance_pipeline.causal.graph import CausalGraph, Edge, Mark, Node
from glance_pipeline.config.discover import FigureParameters

# Okabe and Ito's palette: told apart with every common colour blindness.
POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
_FILL = {"aligned": "#CFE8DC", "latent": "#E8E8E8", "prediction": "#FBF0C4"}
_INK = "#333333"

_WIDTH, _HEIGHT = 1.5, 0.62  # of a concept's box, in inches
_SINK_WIDTH = 0.95
_ROW = 0.82  # from one box to the next
_GAP = 4.6  # between the columns
_MARK = 0.11  # room for a mark between the end of a line and a box


class _Place(NamedTuple):
    """Where an edge touches a box: x and y in inches."""

    x: float
    y: float


def draw_graph(graph: CausalGraph, settings: FigureParameters) -> Figure:
    """Draw the graph.

    Width stands for strength, opacity for stability, colour for sign, a dashed line for a
    prediction that is only associated. For each class the strongest edges of either verdict are
    drawn, as many as ``settings`` say; the JSON has all of them.
    """
    concepts, sinks = graph.of_kind("aligned", "latent"), graph.of_kind("prediction")
    between = [e for e in graph.edges if e.verdict is None]
    to_sinks = _strongest(graph, sinks, settings)
    rows = max(len(concepts), len(sinks), 4)
    y = _rows(concepts, rows) | _rows(sinks, rows)
    arc = 0.5 + 0.26 * max((abs(y[e.source] - y[e.target]) for e in between), default=1) / _ROW
    left, right, low, high = -arc - 0.2, _WIDTH + _GAP + _SINK_WIDTH, -0.9, rows * _ROW + 0.75
    figure = Figure(figsize=(right - left + 0.2, high - low), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right + 0.2), ylim=(low, high))
    axes.set_axis_off()
    _draw_arcs(axes, between, y)
    _draw_to_sinks(axes, to_sinks, y)
    for node in concepts:
        _draw_node(axes, node, 0.0, y[node.name], _WIDTH)
    for node in sinks:
        _draw_node(axes, node, _WIDTH + _GAP, y[node.name], _SINK_WIDTH)
    _write_titles(axes, graph, rows, len(to_sinks))
    _draw_legend(axes)
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


def _rows(nodes: list[Node], rows: int) -> dict[str, float]:
    """Spread nodes over the height of ``rows`` rows, the first on top."""
    height = rows * _ROW
    return {n.name: height * (1 - (i + 0.5) / len(nodes)) for i, n in enumerate(nodes)}


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
        # Nearer each other than this a box's marks overlap; with many they have to.
        pitch = min(0.15, (_HEIGHT - 0.08) / max(len(numbers) - 1, 1))
        for k, (_, number) in enumerate(sorted(numbers)):
            places[node, number] = y[node] + pitch * (k - (len(numbers) - 1) / 2)
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
        start = _Place(0.0, places[edge.source, number])
        end = _Place(0.0, places[edge.target, number])
        reach = 0.45 + 0.35 * abs(y[edge.source] - y[edge.target]) / _ROW
        _draw_edge(axes, edge, start, end, -reach, -reach)


def _draw_to_sinks(axes: Axes, edges: list[Edge], y: dict[str, float]) -> None:
    """Draw the concept → prediction edges between the two columns."""
    ends = []
    for number, edge in enumerate(edges):
        ends.append((edge.source, number, y[edge.target]))
        ends.append((edge.target, number, y[edge.source]))
    places = _places(ends, y)
    for number, edge in enumerate(edges):
        start = _Place(_WIDTH, places[edge.source, number])
        end = _Place(_WIDTH + _GAP, places[edge.target, number])
        _draw_edge(axes, edge, start, end, 0.4 * _GAP, -0.4 * _GAP)


def _draw_edge(
    axes: Axes, edge: Edge, one: _Place, other: _Place, bend_one: float, bend_other: float
) -> None:
    """Draw one edge with its marks; bends are where its ends are pulled to, from either end."""
    colour = POSITIVE if edge.strength >= 0 else NEGATIVE
    opacity = 0.25 + 0.7 * (edge.frequency if edge.frequency is not None else 0.5)
    width = 0.8 + 4.5 * min(abs(edge.strength), 1.0)
    start = _draw_mark(axes, edge.mark_at_source, one, bend_one, colour)
    end = _draw_mark(axes, edge.mark_at_target, other, bend_other, colour)
    path = Path(
        [start, (one.x + bend_one, one.y), (other.x + bend_other, other.y), end],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    dashes = (0, (3, 1.6)) if edge.verdict == "only_associated" else "solid"
    axes.add_patch(
        PathPatch(
            path,
            fill=False,
            edgecolor=colour,
            alpha=opacity,
            linewidth=width,
            linestyle=dashes,
            capstyle="butt",
            zorder=2 + abs(edge.strength),
        )
    )


def _draw_mark(axes: Axes, mark: Mark, at: _Place, bend: float, colour: str) -> _Place:
    """Draw a mark where an edge meets a box and return where its line ends."""
    outward = 1 if bend > 0 else -1
    if mark == "tail":
        return at
    inset = _Place(at.x + outward * _MARK, at.y)
    middle = at.x + outward * _MARK / 2
    if mark == "arrow":
        shape = "<" if outward > 0 else ">"
        axes.plot(middle, at.y, shape, color=colour, markersize=8, markeredgewidth=0, zorder=6)
    else:
        axes.plot(middle, at.y, "o", color=colour, markerfacecolor="white", markersize=6, zorder=6)
    return inset


def _draw_node(axes: Axes, node: Node, x: float, y: float, width: float) -> None:
    style = "round,pad=0,rounding_size=0.12" if node.kind == "latent" else "square,pad=0"
    box = FancyBboxPatch(
        (x, y - _HEIGHT / 2),
        width,
        _HEIGHT,
        boxstyle=style,
        facecolor=_FILL[node.kind],
        edgecolor=_INK,
        linewidth=1.0,
        zorder=5,
    )
    axes.add_patch(box)
    unit = f"\n[{node.unit}]" if node.unit and node.kind == "aligned" else ""
    axes.text(
        x + width / 2, y, node.label + unit, ha="center", va="center", color=_INK, size=9, zorder=7
    )


def _write_titles(axes: Axes, graph: CausalGraph, rows: int, drawn: int) -> None:
    top = rows * _ROW + 0.2
    search, tests = graph.search, graph.intervention
    axes.text(_WIDTH / 2, top, "Concepts", ha="center", weight="bold", color=_INK)
    axes.text(
        _WIDTH / 2,
        top + 0.25,
        f"searched on {search.resamples} resamples of {search.rows_per_resample:,} images",
        ha="center",
        size=8,
        color=_INK,
    )
    if tests is None:
        return
    sink = _WIDTH + _GAP + _SINK_WIDTH / 2
    judged = [e for e in graph.edges if e.verdict is not None]
    axes.text(sink, top, "Predictions", ha="center", weight="bold", color=_INK)
    axes.text(
        _WIDTH + _GAP / 2,
        top + 0.25,
        f"do(concept) on {tests.images} images; {drawn} strongest of {len(judged)} edges drawn",
        ha="center",
        size=8,
        color=_INK,
    )


def _draw_legend(axes: Axes) -> None:
    def line(label: str, **style: object) -> Line2D:
        return Line2D([], [], **({"color": _INK, "linewidth": 2.0, "label": label} | style))  # type: ignore[arg-type]

    handles = [
        line("used: do(concept) moves it"),
        line("only associated", linestyle=(0, (3, 1.6))),
        line("positive", color=POSITIVE),
        line("negative", color=NEGATIVE),
        line("|strength| 0.8", linewidth=0.8 + 4.5 * 0.8),
        line("|strength| 0.1", linewidth=0.8 + 4.5 * 0.1),
        line("in all resamples", alpha=0.95),
        line("in half of them", alpha=0.6),
        line("arrowhead: no cause of the other", marker=">", linestyle=""),
        line("circle: cannot be told", marker="o", markerfacecolor="white", linestyle=""),
    ]
    axes.legend(
        handles=handles, loc="lower center", ncols=5, frameon=False, fontsize=8, handlelength=2.4
    )

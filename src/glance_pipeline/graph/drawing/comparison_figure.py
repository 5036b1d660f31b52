"""The graph that the classifier perceives beside the data's own, differences coloured."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Mark
from glance_pipeline.graph.model.comparison import Difference, GraphComparison, compare_graphs
from glance_pipeline.support.figures import say_as_it_is
from glance_pipeline.support.names import shortened

_Place = tuple[float, float]

# Okabe and Ito's palette: told apart with every common colour blindness.
COLOURS: dict[Difference, str] = {
    "same": "#333333",
    "arrowheads": "#CC79A7",
    "only_data": "#0072B2",
    "only_perceived": "#D55E00",
}
_LABELS: dict[Difference, str] = {
    "same": "same in both",
    "arrowheads": "joined in both, arrowheads differ",
    "only_data": "only in the data",
    "only_perceived": "only perceived",
}
_INK = "#333333"
_WIDTH, _HEIGHT = 1.45, 0.5  # of a feature's box, in inches
_LETTERS = 26  # of a name in a box
_MARK = 0.12  # room for a mark between the end of a line and a box
_BEND = 0.65  # how near to its chord a curve is pulled; 0 is the middle of the ellipse
_TITLE, _LEGEND = 0.75, 0.75  # height of a panel's title and of the legend
_SIDE_BY_SIDE = 8  # with more features the panels lie under one another, to stay legible


def draw_comparison(perceived: CausalGraph, data: CausalGraph) -> Figure:
    """Draw both graphs over the features that both searches could use, each in the same place.

    Every edge is drawn in the graph that has it; its colour says whether the other has it too.
    """
    comparison = compare_graphs(perceived, data)
    number = len(comparison.features)
    across, down = max(1.7, 0.27 * number), max(1.2, 0.18 * number)
    width, height = 2 * across + _WIDTH + 0.5, 2 * down + _HEIGHT + 0.4 + _TITLE
    columns, rows = (2, 1) if number <= _SIDE_BY_SIDE else (1, 2)
    total = (columns * width, rows * height + _LEGEND)
    figure = Figure(figsize=total, dpi=130)
    places = _on_an_ellipse(comparison.features, across, down)
    graphs = ((data, "The data"), (perceived, "As the classifier perceives it"))
    for index, (graph, title) in enumerate(graphs):
        corner = (width * (index % columns), _LEGEND + height * (rows - 1 - index // columns))
        axes = figure.add_axes(
            (corner[0] / total[0], corner[1] / total[1], width / total[0], height / total[1]),
            xlim=(-width / 2, width / 2),
            ylim=(-(height - _TITLE) / 2, (height + _TITLE) / 2),
        )
        axes.set_axis_off()
        _write_title(axes, title, graph, (height + _TITLE) / 2)
        _draw_panel(axes, graph, comparison, places)
    _draw_legend(figure, comparison)
    return say_as_it_is(figure)


def _write_title(axes: Axes, title: str, graph: CausalGraph, top: float) -> None:
    search = graph.search
    said = f"searched on {search.resamples} resamples of {search.rows_per_resample:,} images"
    axes.text(0, top - 0.3, title, ha="center", weight="bold", color=_INK)
    axes.text(0, top - 0.52, said, ha="center", size=8, color=_INK)


def _on_an_ellipse(features: tuple[str, ...], across: float, down: float) -> dict[str, _Place]:
    """Place the first on top and the others clockwise after it."""
    angles = [math.pi / 2 - 2 * math.pi * k / max(len(features), 1) for k in range(len(features))]
    return {
        name: (across * math.cos(angle), down * math.sin(angle))
        for name, angle in zip(features, angles, strict=True)
    }


def _draw_panel(
    axes: Axes,
    graph: CausalGraph,
    comparison: GraphComparison,
    places: dict[str, _Place],
) -> None:
    for edge in graph.edges:
        kind = comparison.difference(edge.source, edge.target)
        if kind is not None:
            _draw_edge(axes, edge, places, COLOURS[kind])
    for name, (x, y) in places.items():
        node = graph.node(name)
        unit = f"\n[{shortened(node.unit, _LETTERS)}]" if node.unit else ""
        box = FancyBboxPatch(
            (x - _WIDTH / 2, y - _HEIGHT / 2),
            _WIDTH,
            _HEIGHT,
            boxstyle="square,pad=0",
            facecolor="#CFE8DC",
            edgecolor=_INK,
            zorder=5,
        )
        axes.add_patch(box)
        axes.text(
            x,
            y,
            shortened(node.label, _LETTERS) + unit,
            ha="center",
            va="center",
            size=9,
            color=_INK,
            zorder=6,
        )
    if not comparison.features:
        axes.text(0, 0, "no feature can be compared", ha="center", va="center", color=_INK)


def _draw_edge(axes: Axes, edge: Edge, places: dict[str, _Place], colour: str) -> None:
    """Draw a curve between two boxes with its marks; width stands for strength.

    It bends towards the middle of the ellipse, so that it does not run behind the boxes between.
    """
    one, other = places[edge.source], places[edge.target]
    bend = (_BEND * (one[0] + other[0]) / 2, _BEND * (one[1] + other[1]) / 2)
    start = _draw_mark(axes, edge.mark_at_source, one, bend, colour)
    end = _draw_mark(axes, edge.mark_at_target, other, bend, colour)
    axes.add_patch(
        PathPatch(
            Path([start, bend, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            fill=False,
            edgecolor=colour,
            linewidth=0.8 + 4.5 * min(abs(edge.strength), 1.0),
            alpha=0.25 + 0.7 * (edge.frequency if edge.frequency is not None else 0.5),
            capstyle="butt",
            zorder=2,
        )
    )


def _draw_mark(axes: Axes, mark: Mark, box: _Place, towards: _Place, colour: str) -> _Place:
    """Draw a mark where the line ``towards`` a point leaves a box; return where the line ends."""
    dx, dy = towards[0] - box[0], towards[1] - box[1]
    length = math.hypot(dx, dy)
    # The line leaves the box through its nearer pair of sides.
    reach = min(_WIDTH / 2 / abs(dx) if dx else math.inf, _HEIGHT / 2 / abs(dy) if dy else math.inf)
    border = (box[0] + reach * dx, box[1] + reach * dy)
    if mark == "tail":
        return border
    middle, inset = (
        (border[0] + gap * dx / length, border[1] + gap * dy / length) for gap in (_MARK / 2, _MARK)
    )
    if mark == "arrow":
        angle = math.degrees(math.atan2(-dy, -dx)) - 90
        shape = {"marker": (3, 0, angle), "markersize": 9, "markeredgewidth": 0}
    else:
        shape = {"marker": "o", "markersize": 6, "markerfacecolor": "white"}
    axes.plot(*middle, color=colour, zorder=7, **shape)  # type: ignore[arg-type]
    return inset


def _draw_legend(figure: Figure, comparison: GraphComparison) -> None:
    handles = [
        Line2D([], [], color=colour, linewidth=3, label=f"{_LABELS[kind]}: "
               f"{len(getattr(comparison, kind))}")
        for kind, colour in COLOURS.items()
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=_INK, marker=">", linestyle="", label="no cause of the other"),
        Line2D([], [], color=_INK, marker="o", markerfacecolor="white", linestyle="",
               label="cannot be told"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8,
                  bbox_to_anchor=(0.5, 0.0))  # fmt: skip
    if comparison.left_out:
        said = f"not compared: {', '.join(comparison.left_out)}"
        figure.text(0.5, 0.995, said, ha="center", va="top", size=8, color=_INK)

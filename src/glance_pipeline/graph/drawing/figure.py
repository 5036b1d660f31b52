"""The causal graph as a figure: concepts in one column, predictions as sinks in another."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.graph.drawing.figure_edges import INK, Contact, draw_edge
from glance_pipeline.graph.drawing.figure_layout import Box, Layout, lay_out
from glance_pipeline.graph.drawing.figure_text import (
    LINE,
    draw_legend,
    interaction_lines,
    node_lines,
    write_lines,
    write_refusal,
    write_titles,
)
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.support.figures import say_as_it_is

_FILL = {"aligned": "#CFE8DC", "latent": "#E8E8E8", "prediction": "#FBF0C4"}

_WIDTH = 1.5  # of a concept's box, in inches
_SINK_WIDTH = 0.95
_GAP = 4.6  # between the columns
_LEGEND = 0.9


def draw_graph(graph: CausalGraph, settings: FigureParameters) -> Figure:
    """Draw the graph.

    Width stands for strength, opacity for stability, colour for sign, a dashed line for a
    prediction that is only associated, black marks for background knowledge, a dotted arrow beside
    an edge for a suggestion. For each class the strongest edges of either verdict are drawn, and
    the strongest interactions listed, as many as ``settings`` say; the JSON has all of them.
    """
    layout = lay_out(graph, settings)
    lines = interaction_lines(graph, settings.interactions)
    arc = 0.5 + 0.26 * max((route.rows for route in layout.arcs), default=1)
    left, right = -arc - 0.35, _WIDTH + _GAP + _SINK_WIDTH + 0.2
    low, high = -_LEGEND - LINE * len(lines), layout.height + 0.75
    figure = Figure(figsize=(right - left, high - low), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(low, high))
    axes.set_axis_off()
    _draw_edges(axes, layout)
    for box in layout.concepts:
        _draw_node(axes, box, 0.0, _WIDTH)
    for box in layout.sinks:
        _draw_node(axes, box, _WIDTH + _GAP, _SINK_WIDTH)
    middle_of_sinks = _WIDTH + _GAP + _SINK_WIDTH / 2
    drawn = len(layout.to_sinks)
    write_titles(axes, graph, layout.height, _WIDTH / 2, middle_of_sinks, drawn)
    write_lines(axes, lines, (left + right) / 2, 0.0)
    if graph.gate is not None and not graph.gate.passed:
        write_refusal(axes, str(graph.gate), _WIDTH + _GAP / 2, layout.height / 2)
    draw_legend(axes, graph)
    return say_as_it_is(figure)


def _draw_edges(axes: Axes, layout: Layout) -> None:
    """Draw arcs to the left of the concepts, and the edges between the two columns."""
    for route in layout.arcs:
        start, end = Contact(0.0, route.at_source), Contact(0.0, route.at_target)
        reach = 0.45 + 0.35 * route.rows
        draw_edge(axes, route.edge, start, end, -reach, -reach)
    for route in layout.to_sinks:
        start, end = Contact(_WIDTH, route.at_source), Contact(_WIDTH + _GAP, route.at_target)
        draw_edge(axes, route.edge, start, end, 0.4 * _GAP, -0.4 * _GAP)


def _draw_node(axes: Axes, box: Box, x: float, width: float) -> None:
    """Draw a box with the node's label, unit and number of levels."""
    node = box.node
    style = "round,pad=0,rounding_size=0.12" if node.kind == "latent" else "square,pad=0"
    outline = FancyBboxPatch(
        (x, box.y - box.height / 2),
        width,
        box.height,
        boxstyle=style,
        facecolor=_FILL[node.kind],
        edgecolor=INK,
        linewidth=1.0,
        zorder=5,
    )
    axes.add_patch(outline)
    text = "\n".join(node_lines(node, int(13 * width)))
    middle = x + width / 2
    axes.text(middle, box.y, text, ha="center", va="center", color=INK, size=9, zorder=7)

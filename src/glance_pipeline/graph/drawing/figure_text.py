"""What is written on the figure of the causal graph: titles, interactions and the legend."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from glance_pipeline.graph.drawing.figure_edges import (
    DASHES,
    DOTS,
    HINT,
    INK,
    NEGATIVE,
    POSITIVE,
    SETTLED,
    line_width,
    opacity,
)
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.support.names import shortened
from glance_pipeline.support.number_format import format_measured

LINE = 0.2
"""Inches from one line of small text to the next."""

_NAME = 40  # characters of a name in a line of several
_SWAPPED = str.maketrans("_-", "-_")


def node_lines(node: Node, characters: int) -> list[str]:
    """Return what stands in a node's box: its label, then its unit or number of levels.

    Args:
        node: node of the graph.
        characters: most in a line; a label gets two lines and ends with "…" where it needs more.
    """
    # Names of columns are broken after an underscore, as textwrap breaks words after a hyphen.
    label = node.label.translate(_SWAPPED)
    lines = textwrap.wrap(label, characters, max_lines=2, placeholder="…")
    lines = [line.translate(_SWAPPED) for line in lines]
    if node.levels:
        lines.append(f"{len(node.levels)} levels")
    elif node.unit and node.kind == "aligned":
        lines.append(f"[{shortened(node.unit, characters)}]")
    return lines


def write_titles(
    axes: Axes, graph: CausalGraph, top: float, concepts: float, sinks: float, drawn: int
) -> None:
    """Write what each column is and what the edges rest on.

    Args:
        axes: size of the axes, in inches.
        graph: says how it was found.
        top: height of the columns.
        concepts: middle of the column of concepts.
        sinks: middle of the column of predictions.
        drawn: number of concept → prediction edges that are drawn.
    """
    search, tests = graph.search, graph.intervention
    title = {"ha": "center", "weight": "bold", "color": INK}
    small = {"ha": "center", "size": 8, "color": INK}
    axes.text(concepts, top + 0.2, "Concepts", **title)  # type: ignore[arg-type]
    said = f"searched on {search.resamples} resamples of {search.rows_per_resample:,} images"
    axes.text(concepts, top + 0.45, said, **small)  # type: ignore[arg-type]
    if tests is None:
        return
    judged = sum(edge.verdict is not None for edge in graph.edges)
    axes.text(sinks, top + 0.2, "Predictions", **title)  # type: ignore[arg-type]
    shown = len(graph.of_kind("prediction"))
    classes = f", {shown} of {shown + tests.other_classes:,} classes" if tests.other_classes else ""
    said = (
        f"do(concept) on {tests.images} images; {drawn} strongest of {judged} edges{classes} drawn"
    )
    if classes:  # a longer line, which the other one leaves room for on its right alone
        axes.text(sinks + 0.45, top + 0.45, said, **(small | {"ha": "right"}))  # type: ignore[arg-type]
        return
    axes.text((concepts + sinks) / 2 + 0.6, top + 0.45, said, **small)  # type: ignore[arg-type]


def interaction_lines(graph: CausalGraph, most: int) -> list[str]:
    """Return the strongest interactions as lines of text, with a heading; none where none are."""
    shown = graph.interactions[:most]
    if not shown:
        return []
    lines = [f"Interactions, {len(shown)} strongest of {len(graph.interactions)}"]
    for one in shown:
        first, second = (shortened(graph.node(name).label, _NAME) for name in one.concepts)
        answer = graph.node(one.prediction)
        value = format_measured(one.effect.value, answer.unit, signed=True, with_unit=False)
        said = f"{value} {shortened(one.effect.unit, _NAME)}"
        lines.append(f"{first} × {second} → {shortened(answer.label, _NAME)}: {said}")
    return lines


def write_lines(axes: Axes, lines: list[str], x: float, top: float) -> None:
    """Write lines of small text under one another, the first in bold."""
    for number, line in enumerate(lines):
        weight = "bold" if number == 0 else "normal"
        y = top - LINE * (number + 1)
        axes.text(x, y, line, ha="center", size=8, color=INK, weight=weight)


def write_refusal(axes: Axes, text: str, x: float, y: float) -> None:
    """Write between the columns why no edge is drawn."""
    lines = "\n".join(textwrap.wrap(text, 46))
    axes.text(x, y, lines, ha="center", va="center", size=9, color=NEGATIVE, zorder=8)


def draw_legend(axes: Axes, graph: CausalGraph) -> None:
    """Say what lines and marks mean; knowledge and suggestions where the graph has some."""

    def line(label: str, **style: object) -> Line2D:
        return Line2D([], [], **({"color": INK, "linewidth": 2.0, "label": label} | style))  # type: ignore[arg-type]

    handles = [
        line("used: do(concept) moves it"),
        line("only associated", linestyle=DASHES),
        line("positive", color=POSITIVE),
        line("negative", color=NEGATIVE),
        line("|strength| 0.8", linewidth=line_width(0.8)),
        line("|strength| 0.1", linewidth=line_width(0.1)),
        line("in all resamples", alpha=opacity(1.0)),
        line("in half of them", alpha=opacity(0.5)),
        line("arrowhead: no cause of the other", marker=">", linestyle=""),
        line("circle: cannot be told", marker="o", markerfacecolor="white", linestyle=""),
    ]
    if any(edge.dose_response and edge.dose_response.decisive for edge in graph.edges):
        handles.append(line("used for its curve: no sign", linewidth=3.0))
    if any(edge.sign_depends_on and edge.verdict == "used" for edge in graph.edges):
        handles.append(line("used: its sign depends on another", linewidth=3.0))
    if any(edge.verdict == "cannot_be_told" for edge in graph.edges):
        handles.append(line("dotted: cannot be told", linestyle=DOTS))
    if any(edge.knowledge for edge in graph.edges):
        handles.append(
            line("black: knowledge speaks of it", color=SETTLED, marker=">", linestyle="")
        )
        handles.append(line("black bar: a cause", color=SETTLED, marker="s", linestyle=""))
    if any(edge.suggestion for edge in graph.edges):
        handles.append(line("suggested, no finding", color=HINT, linestyle=DOTS, linewidth=1.2))
    axes.legend(
        handles=handles,
        loc="lower center",
        ncols=-(-len(handles) // 2) if len(handles) < 11 else 5,
        frameon=False,
        fontsize=8,
        handlelength=2.4,
    )

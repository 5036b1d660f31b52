"""How an edge of the causal graph is drawn: line, marks, and what is only suggested."""

from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, PathPatch
from matplotlib.path import Path

from glance_pipeline.graph.model.causal_graph import Edge, Mark

# Okabe and Ito's palette: told apart with every common colour blindness.
POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
INK, HINT, SETTLED = "#333333", "#777777", "#000000"
DASHES = (0, (3, 1.6))
DOTS = (0, (1, 1.5))

LineStyle = str | tuple[int, tuple[float, float]]
Sign = Literal["positive", "negative", "none"]

_MARK = 0.11  # inches between the end of a line and a box, for a mark
_BESIDE = 0.12  # inches between an edge and a suggestion beside it


class Contact(NamedTuple):
    """Where an edge touches a box: x and y in inches."""

    x: float
    y: float


def line_width(strength: float) -> float:
    """Return the width, in points, that stands for a strength."""
    return 0.8 + 4.5 * min(abs(strength), 1.0)


def opacity(stability: float | None) -> float:
    """Return the opacity that stands for a share of resamples; half of it where none is known."""
    return 0.25 + 0.7 * (0.5 if stability is None else stability)


def sign_of(edge: Edge) -> Sign:
    """Return the sign of an edge's strength: none if a curve or another concept decides it.

    Nor has one that cannot be told a sign.
    """
    if edge.sign_depends_on or edge.verdict == "cannot_be_told":
        return "none"
    if edge.dose_response is not None and edge.dose_response.decisive:
        return "none"
    return "positive" if edge.strength >= 0 else "negative"


def colour_of(edge: Edge) -> str:
    """Return the colour of an edge's sign."""
    return {"positive": POSITIVE, "negative": NEGATIVE, "none": INK}[sign_of(edge)]


def line_style(edge: Edge) -> LineStyle:
    """Return how an edge's line is broken, by its verdict."""
    if edge.verdict == "cannot_be_told":
        return DOTS
    return DASHES if edge.verdict == "only_associated" else "solid"


def draw_edge(
    axes: Axes, edge: Edge, one: Contact, other: Contact, bend_one: float, bend_other: float
) -> None:
    """Draw one edge with its marks; bends are where its ends are pulled to, from either end."""
    colour = colour_of(edge)
    settled = bool(edge.knowledge)
    start = _draw_mark(axes, edge.mark_at_source, one, bend_one, colour, settled)
    end = _draw_mark(axes, edge.mark_at_target, other, bend_other, colour, settled)
    corners = [start, (one.x + bend_one, one.y), (other.x + bend_other, other.y), end]
    axes.add_patch(
        PathPatch(
            Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]),
            fill=False,
            edgecolor=colour,
            alpha=opacity(edge.frequency),
            linewidth=line_width(edge.strength),
            linestyle=line_style(edge),
            capstyle="butt",
            zorder=2 + abs(edge.strength),
        )
    )
    if edge.suggestion is not None:
        forwards = edge.suggestion.source == edge.source
        _draw_suggestion(axes, np.array(corners), forwards, bend_one)


def _draw_mark(
    axes: Axes, mark: Mark, at: Contact, bend: float, colour: str, settled: bool
) -> Contact:
    """Draw a mark where an edge meets a box and return where its line ends.

    Where background knowledge speaks of the edge, arrowheads and tails are black, and a tail,
    otherwise no mark, is a bar. Circles are open, so it settled nothing there.
    """
    outward = 1 if bend > 0 else -1
    inset = Contact(at.x + outward * _MARK, at.y)
    middle = at.x + outward * _MARK / 2
    if mark == "circle":
        axes.plot(middle, at.y, "o", color=colour, markerfacecolor="white", markersize=6, zorder=6)
        return inset
    if mark == "tail" and not settled:
        return at
    shape = "s" if mark == "tail" else "<" if outward > 0 else ">"
    size = 5 if mark == "tail" else 8
    fill = SETTLED if settled else colour
    axes.plot(middle, at.y, shape, color=fill, markersize=size, markeredgewidth=0, zorder=6)
    return inset


def _draw_suggestion(axes: Axes, corners: np.ndarray, forwards: bool, bend: float) -> None:
    """Draw a thin dotted arrow along the middle of a Bézier curve, outside of it.

    Args:
        axes: axes of the figure.
        corners: of the curve, (4, 2).
        forwards: whether it points to the curve's end.
        bend: on which side, by its sign, outside is.
    """
    t = np.linspace(0.3, 0.7, 9)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    points = weights @ corners + [np.sign(bend) * _BESIDE, 0]
    axes.add_patch(
        FancyArrowPatch(
            path=Path(points if forwards else points[::-1]),
            arrowstyle="->",
            mutation_scale=9,
            linestyle=DOTS,
            linewidth=1.2,
            color=HINT,
            zorder=5,
        )
    )

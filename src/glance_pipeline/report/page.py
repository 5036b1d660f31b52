"""Renders the page from its templates; all text is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.explanations import Explanation
from glance_pipeline.graph.drawing.figure import draw_graph
from glance_pipeline.graph.drawing.figure_text import interaction_lines
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.edge_table import edge_table
from glance_pipeline.report.cards import SLIDERS_IN_VIEW, UNFOLDED, Card, card
from glance_pipeline.report.graph_view import graph_view
from glance_pipeline.report.overview import concept_rows, fidelity_tiles, measures_in_words
from glance_pipeline.report.pictures import (
    COMPRESSIONS,
    Album,
    EmptyAlbum,
    PageFullError,
    figure_uri,
)
from glance_pipeline.report.scripts import content_security_policy, page_scripts
from glance_pipeline.report.strips import figure_in_words, slider_texts
from glance_pipeline.support.number_format import format_measured
from glance_pipeline.twin.networks import Concept

FIGURE = FigureParameters(used_per_class=2, associated_per_class=1)
"""What the page's graph shows; all edges are listed under it."""

MOST_IMAGES = 32
"""Cards on a page where nothing else is asked for."""

MOST_BYTES = 6_000_000
"""Of a page; pictures are compressed where it would become larger."""

_SAMPLE = 4
"""Cards that a compression is tried on first; encoding takes most of the time of a page."""

SMOOTH_FROM = 64
"""Width of pictures, px, from which they are scaled smoothly; below, a pixel stays a square."""


def render_report(
    explanations: Sequence[Explanation],
    graph: CausalGraph,
    concepts: Sequence[Concept],
    metrics: Mapping[str, Any] | None = None,
    most_images: int = MOST_IMAGES,
) -> str:
    """Return the report as one HTML page without a reference to anything outside it.

    Args:
        explanations: at least one; no more than ``most_images`` are read.
        graph: the global causal graph.
        concepts: all of the surrogate's concepts, pruned ones too.
        metrics: measured on held-out images, its ``fidelity`` by name, and the ``version`` that
            the page names them by; without it fidelity is that of the explained images.
        most_images: that the page shows, the first ones; what it sums up is summed over these.

    Raises:
        ValueError: if there is no explanation.
    """
    if not explanations:
        raise ValueError("a report needs at least one explanation")
    shown = list(explanations[:most_images])
    scripts = page_scripts()
    template = _environment().get_template("report.html")
    height, width = shown[0].original.shape[1:]
    rest = {
        "height": height,
        "width": width,
        "scale": "squares" if width < SMOOTH_FROM else "smooth",
        "unfolded": UNFOLDED,
        "sliders_in_view": SLIDERS_IN_VIEW,
        "explained": len(explanations),
        "tiles": fidelity_tiles(shown, metrics),
        "measured": (metrics or {}).get("version"),
        "rows": concept_rows(concepts, graph, shown),
        "measures": measures_in_words(shown),
        **_of_graph(graph),
        "scripts": scripts,
        "policy": content_security_policy(scripts),
    }

    def render(cards: Sequence[Card], album: Album) -> str:
        sliders = [_sliders(one) for one in cards]
        return template.render(rest, cards=cards, sliders=sliders, loss=album.loss)

    empty = EmptyAlbum()
    without = render(_cards(shown, empty), empty)
    return render(*cards_that_fit(shown, MOST_BYTES - len(without.encode())))


def cards_that_fit(shown: Sequence[Explanation], room: int) -> tuple[list[Card], Album]:
    """Compress pictures as little as the room allows.

    Args:
        shown: what is on the page.
        room: characters that the pictures may take; more where the strongest compression still
            takes more.

    Returns:
        The cards, and the album that their pictures are from.
    """
    sample = shown[:: max(1, len(shown) // _SAMPLE)][:_SAMPLE]
    share = room * len(sample) // len(shown)
    for compression in COMPRESSIONS[:-1]:
        album = Album(compression, room)
        try:
            if len(sample) < len(shown):
                _cards(sample, Album(compression, share))  # most that will not fit is seen here
            return _cards(shown, album), album
        except PageFullError:
            continue
    album = Album(COMPRESSIONS[-1])
    return _cards(shown, album), album


def _cards(shown: Sequence[Explanation], album: Album) -> list[Card]:
    return [card(number, one, album) for number, one in enumerate(shown, start=1)]


def _of_graph(graph: CausalGraph) -> dict[str, Any]:
    """Return what the template shows of the graph, by the names it knows it by."""
    return {
        "graph": graph,
        "refusal": "" if graph.gate is None else str(graph.gate),
        "answers": len(graph.of_kind("prediction")),
        "view": graph_view(graph, FIGURE),
        "interactions": interaction_lines(graph, FIGURE.interactions),
        "edges": list(edge_table(graph).itertuples()),
        "figure": figure_uri(draw_graph(graph, FIGURE)),
    }


def _sliders(one: Card) -> dict[str, Any]:
    """Return what the sliders of a card say, JSON-able."""
    prediction = one.explanation.prediction
    return {
        "id": f"card-{one.number}",
        "answer": prediction.class_name,
        "verb": prediction.verb,
        "numbers": prediction.kind == "values",
        "figure": figure_in_words(one.explanation),
        "strips": slider_texts(one.strips),
    }


def _environment() -> Environment:
    """Return the templates, which escape all that is put into them."""
    environment = Environment(
        loader=PackageLoader("glance_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["measured"] = format_measured
    return environment

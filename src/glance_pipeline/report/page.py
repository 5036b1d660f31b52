"""Renders the page from its templates; all text is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from glance_pipeline.causal.edge_table import edge_table
from glance_pipeline.causal.figure import draw_graph
from glance_pipeline.causal.graph import CausalGraph
from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.values import format_logits
from glance_pipeline.networks import Concept
from glance_pipeline.report.cards import card
from glance_pipeline.report.overview import concept_rows, fidelity_tiles
from glance_pipeline.report.pictures import figure_uri

FIGURE = FigureParameters(used_per_class=2, associated_per_class=1)
"""What the page's graph shows; all edges are listed under it."""


def render_report(
    explanations: Sequence[Explanation],
    graph: CausalGraph,
    concepts: Sequence[Concept],
    metrics: Mapping[str, Any] | None = None,
) -> str:
    """Return the report as one HTML page without a reference to anything outside it.

    Args:
        explanations: of the images shown, at least one.
        graph: the global causal graph.
        concepts: all of the surrogate's concepts, pruned ones too.
        metrics: measured on held-out images, its ``fidelity`` by name; without it fidelity is
            that of the explained images.

    Raises:
        ValueError: where there is no explanation.
    """
    if not explanations:
        raise ValueError("a report needs at least one explanation")
    environment = Environment(
        loader=PackageLoader("glance_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["logits"] = format_logits
    return environment.get_template("report.html").render(
        cards=[card(number, one) for number, one in enumerate(explanations, start=1)],
        tiles=fidelity_tiles(explanations, metrics),
        rows=concept_rows(concepts, graph, explanations),
        graph=graph,
        edges=list(edge_table(graph).itertuples()),
        figure=figure_uri(draw_graph(graph, FIGURE)),
    )

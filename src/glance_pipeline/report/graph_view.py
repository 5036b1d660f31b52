"""The causal graph as the page's script draws it: boxes, lines and evidence in words."""

from typing import Any

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.graph.drawing.figure_edges import line_width, opacity, sign_of
from glance_pipeline.graph.drawing.figure_layout import Box, Layout, Route, lay_out
from glance_pipeline.graph.drawing.figure_text import node_lines
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.edge_table import strongest_first
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words

_CONCEPT_CHARACTERS, _SINK_CHARACTERS = 14, 10  # of a line in a box as narrow as on a phone
_KIND = {
    "aligned": "concept with a context feature",
    "latent": "latent concept, found by itself",
    "prediction": "answer of the classifier",
}
_MEASURED = {
    "margin": "as its lead over the next one",
    "logit": "a label, by its logit",
    "value": "a number",
}


def graph_view(graph: CausalGraph, settings: FigureParameters) -> dict[str, Any]:
    """Return what the page's script draws, JSON-able.

    Args:
        graph: the whole graph.
        settings: which edges are drawn, as in the figure.

    Returns:
        ``height`` of the columns; ``nodes`` with ``name``, ``label``, ``about``, ``kind``,
        ``lines`` of text, ``y`` and ``height``; and all ``edges``, the strongest first, with
        ``source`` and ``target`` (numbers of nodes), ``name``, ``words`` (its evidence) and
        ``line`` (how it is drawn; ``extra`` where only for a chosen box). Heights are inches and
        ``y`` rises.
    """
    layout = lay_out(graph, settings)
    boxes = [*layout.concepts, *layout.sinks]
    numbers = {box.node.name: number for number, box in enumerate(boxes)}
    lines = _lines(layout)
    return {
        "height": layout.height,
        "nodes": [_node(box) for box in boxes],
        "edges": [
            {
                "source": numbers[edge.source],
                "target": numbers[edge.target],
                "name": _name(edge, graph),
                "words": evidence_in_words(edge, graph),
                "line": lines[edge.source, edge.target],
            }
            for edge in strongest_first(graph)
        ],
    }


def _node(box: Box) -> dict[str, Any]:
    node = box.node
    characters = _SINK_CHARACTERS if node.kind == "prediction" else _CONCEPT_CHARACTERS
    return {
        "name": node.name,
        "label": node.label,
        "about": _about(node),
        "kind": node.kind,
        "lines": node_lines(node, characters),
        "y": box.y,
        "height": box.height,
    }


def _about(node: Node) -> str:
    """Say what a node is, in a few words."""
    if node.levels:
        return f"{_KIND[node.kind]}; {', '.join(node.levels)}"
    if node.kind == "prediction":
        unit = f" in {node.unit}" if node.unit and node.measured == "value" else ""
        return f"{_KIND[node.kind]}, {_MEASURED[node.measured]}{unit}"
    unit = f", in {node.unit}" if node.unit and node.kind == "aligned" else ""
    return _KIND[node.kind] + unit


def _name(edge: Edge, graph: CausalGraph) -> str:
    """Return a heading for an edge: with its marks between concepts, else with its verdict."""
    if edge.verdict is None:
        return str(edge)
    concept = f"{edge.source} = {edge.level}" if edge.level else edge.source
    label = graph.node(edge.target).label
    verdict = edge.verdict.replace("_", " ")
    if edge.sign_depends_on:
        verdict += f", its sign depends on {', '.join(edge.sign_depends_on)}"
    return f"{concept} → {label}: {verdict}"


def _lines(layout: Layout) -> dict[tuple[str, str], dict[str, Any]]:
    """Return how each edge looks, by source and target; ``order`` rises to the top."""
    kinds = (("arc", layout.arcs), ("direct", layout.to_sinks), ("extra", layout.others))
    routes = [(kind, route) for kind, some in kinds for route in some]
    return {
        (route.edge.source, route.edge.target): {
            "order": order,
            "arc": kind == "arc",
            "extra": kind == "extra",
            **_look(route),
        }
        for order, (kind, route) in enumerate(routes)
    }


def _look(route: Route) -> dict[str, Any]:
    edge = route.edge
    return {
        "ends": [route.at_source, route.at_target],
        "rows": route.rows,
        "sign": sign_of(edge),
        "width": line_width(edge.strength),
        "opacity": opacity(edge.frequency),
        "dashed": edge.verdict == "only_associated",
        "dotted": edge.verdict == "cannot_be_told",
        "marks": [edge.mark_at_source, edge.mark_at_target],
        "settled": bool(edge.knowledge),
        "suggested": _suggested(edge),
    }


def _suggested(edge: Edge) -> str | None:
    """Return which way along an edge functional asymmetry points, None if it does not."""
    if edge.suggestion is None:
        return None
    return "forwards" if edge.suggestion.source == edge.source else "backwards"

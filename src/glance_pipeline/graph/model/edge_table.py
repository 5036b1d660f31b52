"""The edges of a causal graph as a table, the strongest first."""

import pandas as pd

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words

COLUMNS = {
    "source": "string",
    "target": "string",
    "edge": "string",
    "evidence": "string",
    "verdict": "string",
    "strength": "float64",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "unit": "string",
    "stability": "float64",
    "adjusted_p_value": "float64",
    "in_words": "string",
}


def strongest_first(graph: CausalGraph) -> list[Edge]:
    """Return the edges that the graph asserts, the strongest first."""
    return sorted(graph.edges, key=lambda edge: (-abs(edge.strength), str(edge)))


def edge_table(graph: CausalGraph) -> pd.DataFrame:
    """Return one row for each edge that the graph asserts, the strongest first.

    Returns:
        Frame with the columns ``COLUMNS``. ``edge`` is the pair with its marks, as ``a o-> b``;
        ``evidence`` is ``association`` or ``intervention``; ``strength`` is the standardised
        estimate, on which edges of one kind of evidence can be compared; ``value``, ``low`` and
        ``high`` are that estimate in ``unit`` with its 95 % interval; ``stability`` is the share
        of resamples that agree; ``in_words`` says it all in sentences. What an edge lacks is NA.
        Of a concept that is used for its curve alone, ``strength`` and ``adjusted_p_value`` are the
        curve's. Rejected pairs, *neither* among them, are no edges and not in the table.
    """
    rows = [_row(edge, graph) for edge in strongest_first(graph)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _row(edge: Edge, graph: CausalGraph) -> dict[str, object]:
    estimate, curve = edge.estimate, edge.dose_response
    tested = curve if curve and curve.decisive else estimate
    return {
        "source": edge.source,
        "target": edge.target,
        "edge": str(edge),
        "evidence": edge.evidence,
        "verdict": edge.verdict,
        "strength": edge.strength,
        "value": estimate and estimate.value,
        "low": estimate and estimate.low,
        "high": estimate and estimate.high,
        "unit": estimate and estimate.unit,
        "stability": edge.frequency,
        "adjusted_p_value": tested and tested.adjusted_p_value,
        "in_words": evidence_in_words(edge, graph),
    }

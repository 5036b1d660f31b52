"""A graph with an edge of every kind of evidence, for the tests of words, tables and figures."""

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import (
    DoseResponse,
    Estimate,
    Interaction,
    Reexamination,
    Suggestion,
)
from glance_pipeline.graph.model.records import InterventionRecord, SearchRecord

MARKS = {"-": "tail", "<": "arrow", ">": "arrow", "o": "circle"}
SEARCH = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 100, 5000, 5000, 0, {"flat": "constant"})
INTERVENTION = InterventionRecord(500, 1.0, 1000, 0.05, "Holm", 6, 0.05, 0.1, 0)


def correlation(value: float, low: float, high: float, adjusted: float | None = None) -> Estimate:
    return Estimate(value, low, high, "correlation", value, adjusted, adjusted)


def effect(value: float, adjusted: float, standardised: float, magnitude: float) -> Estimate:
    low, high = value - 0.1, value + 0.1
    return Estimate(
        value, low, high, "logits per sd", standardised, adjusted / 6, adjusted, magnitude
    )


def edge(text: str, **fields) -> Edge:
    """Read ``a o-> b``."""
    source, marks, target = text.split()
    given = {"evidence": "association"} | fields
    return Edge(source, target, MARKS[marks[0]], MARKS[marks[-1]], **given)


def used(**fields) -> Edge:
    given = {
        "evidence": "intervention",
        "effect": effect(1.27, 0.0001, 0.4, 1.3),
        "frequency": 0.997,
    }
    return edge(
        "a --> prediction:yes",
        verdict="used",
        association=correlation(0.7, 0.68, 0.72, 0.0),
        **(given | fields),
    )


def associated(adjusted: float, standardised: float) -> Edge:
    return edge(
        "b o-> prediction:yes",
        verdict="only_associated",
        association=correlation(0.31, 0.29, 0.34, 0.0),
        effect=effect(0.02, adjusted, standardised, 0.1),
    )


def graph(*edges: Edge, rejected: tuple[Edge, ...] = ()) -> CausalGraph:
    nodes = (
        Node("a", "aligned", "a", "px"),
        Node("b", "latent", "b"),
        Node("colour", "aligned", "colour", levels=("red", "green")),
        Node("prediction:yes", "prediction", "yes", "logits"),
    )
    return CausalGraph(nodes, edges, rejected, SEARCH, INTERVENTION)


def full_graph() -> CausalGraph:
    """Every field of an edge is filled in one of its edges."""
    between = edge(
        "a o-> b",
        association=correlation(0.62, 0.6, 0.64),
        frequency=0.87,
        source_marks={"tail": 0.0, "arrow": 0.1, "circle": 0.9},
        target_marks={"tail": 0.0, "arrow": 0.92, "circle": 0.08},
        reexamination=Reexamination("RCIT", 0.002, ("colour",), True),
        knowledge="b is no cause of a",
        suggestion=Suggestion("LiNGAM", "a", "b", 0.4, 0.0001),
    )
    curve = DoseResponse((1.5, 2.5), (-1.0, 2.25), (-1.1, 2.0), (-0.9, 2.5))
    from_level = edge(
        "colour --> prediction:yes",
        evidence="intervention",
        verdict="used",
        level="red",
        effect=effect(-0.5, 0.01, -0.15, 1.2),
    )
    whole = graph(between, used(dose_response=curve), associated(0.3, 0.01), from_level)
    joint = Interaction(("a", "b"), "prediction:yes", effect(0.4, 0.01, 0.1, 0.5))
    return CausalGraph(
        whole.nodes, whole.edges, whole.rejected, SEARCH, INTERVENTION, interactions=(joint,)
    )

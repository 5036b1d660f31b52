"""A graph says what cannot be told of a prediction."""

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord


def edge(source: str, target: str, verdict: str) -> Edge:
    return Edge(source, target, "circle", "arrow", "intervention", verdict=verdict)


def test_untold_concepts_of_a_prediction() -> None:
    nodes = [Node(name, "aligned", name) for name in ("size", "tilt", "no")]
    nodes += [Node(f"prediction:{name}", "prediction", name) for name in ("yes", "no")]
    graph = CausalGraph(
        tuple(nodes),
        (edge("size", "prediction:yes", "cannot_be_told"), edge("tilt", "prediction:yes", "used")),
        (edge("size", "prediction:no", "neither"), edge("tilt", "prediction:no", "cannot_be_told")),
        SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, 100, 1, 0),
    )
    assert graph.untold("yes") == {"size"}
    assert graph.untold("no") == {"tilt"}  # the class, not the concept of its name
    assert graph.untold("maybe") == frozenset()

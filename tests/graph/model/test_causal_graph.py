import json

import pytest

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.distance import structural_hamming_distance
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.model.records import InterventionRecord, SearchRecord

SEARCH = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0, {"d": "constant"})
INTERVENTION = InterventionRecord(5, 1.0, 50, 0.05, "Holm", 3, 0.05, 0.1, 0)
MARKS = {"-": "tail", "<": "arrow", ">": "arrow", "o": "circle"}


def edge(text: str, **fields) -> Edge:
    """Read ``a o-> b``."""
    source, marks, target = text.split()
    return Edge(source, target, MARKS[marks[0]], MARKS[marks[-1]], "association", **fields)


def graph(*edges: str, nodes: str = "abcd") -> CausalGraph:
    return CausalGraph(
        tuple(Node(name, "aligned", name) for name in nodes), tuple(map(edge, edges)), (), SEARCH
    )


def known(*edges: str, nodes: str = "abc") -> dict:
    observable = [
        {key: getattr(e, key) for key in ("source", "target", "mark_at_source", "mark_at_target")}
        for e in map(edge, edges)
    ]
    return {
        "scenario": "by hand",
        "nodes": list(nodes),
        "edges": [],
        "observable_edges": observable,
    }


def full_graph() -> CausalGraph:
    effect = Estimate(0.4, 0.3, 0.5, "logits per sd", 0.2, 1e-5, 3e-5, 0.45)
    marks = {"tail": 0.0, "arrow": 0.9, "circle": 0.1}
    first = edge(
        "a o-> b",
        association=Estimate(0.5, 0.4, 0.6, "correlation", 0.5),
        frequency=0.8,
        source_marks=marks,
        target_marks=marks,
    )
    used = Edge(
        "a", "prediction:a", "tail", "arrow", "intervention", None, effect, 1.0, verdict="used"
    )
    base = CausalGraph(
        (Node("a", "aligned", "a", "px"), Node("b", "latent", "b")),
        (first,),
        (),
        SEARCH,
    )
    return base.with_predictions(
        (Node("prediction:a", "prediction", "a", "logits"),), (used,), (), INTERVENTION
    )


def test_json_round_trip():
    text = full_graph().to_json()
    assert CausalGraph.from_json(text) == full_graph()
    assert json.loads(text)["version"] == 5


def test_files_of_version_2_are_read():
    content = json.loads(full_graph().to_json()) | {"version": 2}
    for node in content["nodes"]:
        del node["measure"]
    read = CausalGraph.from_json(json.dumps(content))
    assert read == full_graph()
    assert read.node("prediction:a").measured == "margin"


def test_files_of_version_1_are_read():
    content = json.loads(full_graph().to_json()) | {"version": 1}
    del content["interactions"]
    for node in content["nodes"]:
        del node["levels"], node["measure"]
    for edge in content["edges"]:
        for field in ("reexamination", "knowledge", "suggestion", "dose_response", "level"):
            del edge[field]
    for field in ("reexamination_test", "knowledge"):
        del content["search"][field]
    assert CausalGraph.from_json(json.dumps(content)) == full_graph()


def test_strength_is_that_of_the_evidence():
    concepts, prediction = full_graph().edges
    assert (concepts.strength, prediction.strength) == (0.5, 0.2)
    assert str(concepts) == "a o-> b"
    assert full_graph().between("b", "a") == concepts
    assert full_graph().between("b", "prediction:a") is None


def test_networkx_keeps_marks_and_evidence():
    network = full_graph().to_networkx()
    assert network.nodes["a"]["unit"] == "px"
    assert network.edges["a", "b"]["mark_at_target"] == "arrow"
    assert network.edges["a", "prediction:a"]["verdict"] == "used"


def test_other_files_are_refused():
    content = json.loads(full_graph().to_json())
    with pytest.raises(ValueError, match="schema version 6; this program reads versions 1 to 5"):
        CausalGraph.from_json(json.dumps(content | {"version": 6}))
    with pytest.raises(ValueError, match='does not say "schema": "glance-causal-graph"'):
        CausalGraph.from_json("[]")
    del content["edges"]
    with pytest.raises(ValueError, match=r"(?s)does not fit its schema.*edges"):
        CausalGraph.from_json(json.dumps(content))


def test_names_are_unique_and_known():
    with pytest.raises(ValueError, match=r"not: \['a'\]"):
        graph(nodes="aab")
    with pytest.raises(ValueError, match=r"unknown nodes \['z'\]"):
        graph("a o-o z")
    with pytest.raises(KeyError, match="no node 'z'"):
        graph().node("z")


@pytest.mark.parametrize(
    ("wanted", "found", "distance"),
    [
        (["a o-o b"], ["a o-o b"], 0),
        (["a o-o b"], ["b o-o a"], 0),
        (["a o-o b"], ["a -- b"], 0),  # tails and circles are not told apart
        (["a o-o b"], ["a o-> b"], 1),
        (["a o-o b"], [], 1),
        (["a o-o b"], ["a o-o b", "a o-o c"], 1),
        (["a o-o b"], ["a o-o b", "c o-o d"], 0),  # d is no node of the known graph
        (["a o-> b", "c o-> b"], ["b <-o a", "c o-> b"], 0),
        (["a o-> b", "c o-> b"], ["a o-o b", "b o-o c"], 2),
        (["a o-> b", "c o-> b"], ["a o-> b", "a o-> c"], 2),
        (["a o-> b", "c o-> b"], ["a <-> b", "c o-> b"], 1),
    ],
)
def test_structural_hamming_distance_by_hand(wanted, found, distance):
    assert structural_hamming_distance(graph(*found), known(*wanted)).total == distance


def test_distance_names_the_pairs():
    answer = structural_hamming_distance(graph("a o-> b", "b o-o c"), known("a o-o b", "a o-o c"))
    assert answer.missing == (("a", "c"),)
    assert answer.extra == (("b", "c"),)
    assert answer.arrowheads == (("a", "b"),)


def test_a_pruned_node_has_no_edges_and_a_foreign_graph_is_refused():
    pruned = structural_hamming_distance(graph(nodes="ac"), known("a o-o b"))
    assert pruned.missing == (("a", "b"),)
    with pytest.raises(ValueError, match="none of which is among"):
        structural_hamming_distance(graph(nodes="xy"), known("a o-o b"))

"""A twin that is none: nothing is asserted of it, and it is said first why."""

from dataclasses import replace

import pytest

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import Estimate, Interaction
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.graph.model.records import SearchRecord

EFFECT = Estimate(1.2, 1.0, 1.4, "logits per sd", 0.4, 0.001, 0.001)
SKILL = {"reconstruction": 0.9, "student": 0.8, "intervention": 0.7, "residual_swap": 0.6}
GRAPH = CausalGraph(
    nodes=(
        Node("size", "aligned", "size"),
        Node("latent_1", "latent", "latent_1"),
        Node("prediction:cat", "prediction", "cat", "logits", measure="margin"),
    ),
    edges=(
        Edge("size", "latent_1", "circle", "arrow", "association"),
        Edge(
            "size", "prediction:cat", "tail", "arrow", "intervention", effect=EFFECT, verdict="used"
        ),
    ),
    rejected=(
        Edge("latent_1", "prediction:cat", "circle", "arrow", "association", verdict="neither"),
    ),
    search=SearchRecord("FCI", "Fisher's Z", 0.01, 0.5, 3, 6, 90, 90, 0),
    interactions=(Interaction(("size", "latent_1"), "prediction:cat", EFFECT),),
)


def test_a_twin_that_is_one_keeps_every_edge():
    gate = Gate(SKILL, 0.6, 200)
    assert gate.passed and not gate.reasons and str(gate) == ""
    assert GRAPH.behind(gate) == replace(GRAPH, gate=gate)


@pytest.mark.parametrize("name", list(SKILL))
def test_one_comparison_that_fails_is_enough_and_is_named(name):
    gate = Gate({**SKILL, name: 0.594}, 0.6, 200)
    assert not gate.passed
    (reason,) = gate.reasons
    assert "(0.59 of 1 beyond chance, wanted 0.60)" in reason
    assert str(gate).startswith("Nothing can be told of this classifier's reasons")
    assert reason in str(gate) and "Train longer" in str(gate)


def test_nothing_is_asserted_of_a_twin_that_is_none_and_nothing_is_lost():
    graph = GRAPH.behind(Gate({**SKILL, "student": 0.2}, 0.6, 200))
    assert graph.edges == () and graph.interactions == ()
    assert [edge.verdict for edge in graph.rejected] == [None, "cannot_be_told", "cannot_be_told"]
    assert graph.rejected[1].effect == EFFECT
    assert graph.nodes == GRAPH.nodes


def test_answers_that_are_all_the_same_tell_nothing():
    gate = Gate({**SKILL, "reconstruction": None}, 0.6, 12)
    assert gate.reasons == ("the 12 held-out images all get the same answer (reconstruction)",)


def test_where_nothing_is_asked_everything_passes():
    gate = Gate({"student": -0.2, "reconstruction": None}, None, 12)
    assert gate.passed and str(gate) == ""


def test_a_number_that_is_none_does_not_pass():
    assert not Gate({"student": float("nan")}, 0.6, 12).passed


@pytest.mark.parametrize("smallest", [0.6, None])
def test_the_gate_is_kept_in_the_files(smallest):
    graph = GRAPH.behind(Gate({**SKILL, "student": None}, smallest, 200))
    assert CausalGraph.from_json(graph.to_json()) == graph
    attributes = graph.to_networkx().graph
    assert attributes["gate_passed"] is (smallest is None)
    assert attributes["gate_skill_reconstruction"] == 0.9
    assert "gate_skill_student" not in attributes


def test_a_file_of_before_the_gate_is_read():
    text = GRAPH.to_json().replace('"version": 5', '"version": 3')
    assert CausalGraph.from_json(text) == GRAPH

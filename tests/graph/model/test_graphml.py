import networkx as nx
import pytest
from kedro_datasets.networkx import GraphMLDataset

from glance_pipeline.graph.model.attributes import scalar_attributes
from helpers.causal_words import full_graph, graph


def test_graphml_reads_back_as_it_was(tmp_path):
    written = full_graph().to_networkx()
    dataset = GraphMLDataset(filepath=str(tmp_path / "graph.graphml"))
    dataset.save(written)
    read = dataset.load()
    assert list(read.edges(data=True)) == list(written.edges(data=True))
    assert list(read.nodes(data=True)) == list(written.nodes(data=True))
    assert read.graph["search_threshold"] == 0.5
    assert read.graph["search_exclusions"] == "flat: constant"
    assert read.graph["intervention_correction"] == "Holm"


def test_every_field_of_an_edge_has_an_attribute():
    network = full_graph().to_networkx()
    between = network.edges["a", "b"]
    assert (between["mark_at_source"], between["mark_at_target"]) == ("circle", "arrow")
    assert between["association_low"] == 0.6
    assert between["strength"] == 0.62
    assert between["frequency"] == 0.87
    assert between["target_marks_arrow"] == 0.92
    assert between["reexamination_p_value"] == 0.002
    assert between["reexamination_given"] == "colour"
    assert between["reexamination_kept"] is True
    assert between["knowledge"] == "b is no cause of a"
    assert between["suggestion_source"] == "a"
    on_prediction = network.edges["a", "prediction:yes"]
    assert on_prediction["verdict"] == "used"
    assert on_prediction["effect_adjusted_p_value"] == 0.0001
    assert on_prediction["dose_response_values"] == "1.5; 2.5"
    assert network.edges["colour", "prediction:yes"]["level"] == "red"
    assert network.nodes["colour"] == {
        "kind": "aligned",
        "label": "colour",
        "levels": "red; green",
    }


def test_what_is_none_or_empty_is_left_out():
    network = full_graph().to_networkx()
    assert "verdict" not in network.edges["a", "b"]
    assert "effect_value" not in network.edges["a", "b"]
    assert "reexamination_p_value" not in network.edges["a", "prediction:yes"]
    assert "unit" not in network.nodes["b"]
    values = [v for *_, data in network.edges(data=True) for v in data.values()]
    assert None not in values and "" not in values


def test_a_graph_without_edges_can_be_written(tmp_path):
    path = tmp_path / "bare.graphml"
    nx.write_graphml(graph().to_networkx(), path)
    assert list(nx.read_graphml(path)) == ["a", "b", "colour", "prediction:yes"]


@pytest.mark.parametrize("kept", [True, False])
def test_truth_values_stay_truth_values(kept):
    from glance_pipeline.graph.model.evidence import Reexamination

    assert scalar_attributes(Reexamination("RCIT", 0.5, (), kept)) == {
        "test": "RCIT",
        "p_value": 0.5,
        "kept": kept,
    }

import pandas as pd
import pytest
from kedro.io import DatasetError, Version

from glance_pipeline.datasets.causal_graph_dataset import CausalGraphDataset
from glance_pipeline.datasets.concept_table_dataset import ConceptTableDataset
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.support import whole
from glance_pipeline.twin.concept_table import ConceptTable


def graph() -> CausalGraph:
    nodes = (Node("a", "aligned", "a", "px"), Node("b", "latent", "b"))
    search = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0)
    return CausalGraph(nodes, (Edge("a", "b", "circle", "arrow", "association"),), (), search)


def table() -> ConceptTable:
    return ConceptTable(
        pd.DataFrame({"a": [1.5, 2.5], "b": [0.1, -0.1]}),
        pd.DataFrame({"yes": [3.0, -3.0]}),
        {"a": "aligned", "b": "latent"},
        {"a": "px", "b": ""},
    )


def test_graph_round_trip_under_a_version(tmp_path):
    path = f"{tmp_path}/graph.json"
    CausalGraphDataset(filepath=path, version=Version(None, "v1")).save(graph())
    assert (tmp_path / "graph.json" / "v1" / "graph.json").is_file()
    dataset = CausalGraphDataset(filepath=path, version=Version(None, None))
    assert dataset.exists()
    assert dataset.load() == graph()


def test_broken_graph_is_named(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(graph().to_json()[:50])
    with pytest.raises(DatasetError, match=r"graph\.json"):
        CausalGraphDataset(filepath=str(path)).load()
    path.write_text(graph().to_json().replace('"version": 5', '"version": 7'))
    with pytest.raises(DatasetError, match="schema version 7"):
        CausalGraphDataset(filepath=str(path)).load()


def test_table_round_trip(tmp_path):
    dataset = ConceptTableDataset(filepath=f"{tmp_path}/concepts.parquet")
    assert not dataset.exists()
    dataset.save(table())
    loaded = dataset.load()
    pd.testing.assert_frame_equal(loaded.concepts, table().concepts)
    pd.testing.assert_frame_equal(loaded.margins, table().margins)
    assert (loaded.kinds, loaded.units) == (table().kinds, table().units)
    preview = dataset.preview(nrows=1)
    assert preview["columns"] == ["aligned:a [px]", "latent:b", "margin:yes"]
    assert len(preview["data"]) == 1


def test_table_of_other_columns_or_no_parquet_is_named(tmp_path):
    path = tmp_path / "concepts.parquet"
    pd.DataFrame({"surprise": [1.0]}).to_parquet(path)
    with pytest.raises(DatasetError, match=r"concepts\.parquet.*'surprise'"):
        ConceptTableDataset(filepath=str(path)).load()
    path.write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"concepts\.parquet"):
        ConceptTableDataset(filepath=str(path)).load()


def test_a_full_disk_leaves_no_version_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole.os, "fsync", full)
    dataset = CausalGraphDataset(filepath=f"{tmp_path}/graph.json", version=Version(None, "v2"))
    with pytest.raises(DatasetError, match="No space left"):
        dataset.save(graph())
    assert not (tmp_path / "graph.json").exists()


@pytest.mark.parametrize(
    ("measure", "units", "columns"),
    [
        ("margin", {"a": "logits", "b [x]": "logits"}, ["margin:a", "margin:b [x]"]),
        ("logit", {"a": "logits", "b [x]": "logits"}, ["logit:a", "logit:b [x]"]),
        ("value", {"a": "px", "b [x]": ""}, ["value:a [px]", "value:b [x] []"]),
    ],
)
def test_columns_say_what_is_measured_of_the_answers(measure, units, columns):
    concepts = pd.DataFrame({"c": [1.0, 2.0]})
    answers = pd.DataFrame({"a": [0.5, 1.0], "b [x]": [2.0, 3.0]})
    written = ConceptTable(
        concepts, answers, {"c": "aligned"}, {"c": ""}, measure=measure, outcome_units=units
    ).to_frame()
    assert list(written) == ["aligned:c", *columns]
    read = ConceptTable.from_frame(written)
    assert list(read.margins) == ["a", "b [x]"]
    assert (read.measure, {name: read.unit_of(name) for name in read.margins}) == (measure, units)

import json
from pathlib import Path

import pytest
from kedro.io import DatasetError, Version
from kedro_datasets.json import JSONDataset

from glance_pipeline.datasets import OptionalDataset


def optional(file: Path, version: Version | None = None) -> OptionalDataset:
    return OptionalDataset(dataset="json.JSONDataset", filepath=str(file), version=version)


@pytest.mark.parametrize("version", [None, Version(None, None)])
def test_none_is_loaded_where_there_is_no_file(tmp_path, version):
    dataset = optional(tmp_path / "graph.json", version)
    assert not dataset.exists()
    assert dataset.load() is None


def test_what_is_there_is_saved_and_loaded_as_by_the_other_dataset(tmp_path):
    file = tmp_path / "deep" / "graph.json"
    for number in ("1", "2"):
        optional(file, Version(None, number)).save({"nodes": [number]})
    dataset = optional(file, Version(None, None))
    assert dataset.exists()
    assert dataset.load() == {"nodes": ["2"]}
    assert optional(file, Version("1", None)).load() == {"nodes": ["1"]}
    other = JSONDataset(filepath=str(tmp_path / "other.json"))
    other.save({"nodes": ["2"]})
    assert (file / "2/graph.json").read_bytes() == (tmp_path / "other.json").read_bytes()


def test_a_mapping_tells_its_version_where_asked_to(tmp_path):
    file = tmp_path / "metrics.json"
    arguments = {"dataset": "json.JSONDataset", "filepath": str(file), "version_as": "version"}
    OptionalDataset(**arguments, version=Version(None, "1")).save({"l1": 0.5})
    newest = OptionalDataset(**arguments, version=Version(None, None))
    assert newest.load() == {"l1": 0.5, "version": "1"}
    assert json.loads((file / "1/metrics.json").read_text()) == {"l1": 0.5}


def test_a_version_that_was_asked_for_must_be_there(tmp_path):
    dataset = optional(tmp_path / "graph.json", Version("1", None))
    assert not dataset.may_be_absent
    with pytest.raises(DatasetError):
        dataset.load()


def test_a_broken_file_is_an_error_and_not_none(tmp_path):
    (tmp_path / "graph.json").write_text("{")
    with pytest.raises(DatasetError, match=r"graph\.json"):
        optional(tmp_path / "graph.json").load()

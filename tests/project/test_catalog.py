"""Datasets of any kind that a run saves are whole or not there, and a run loads what it saved."""

import copy
import errno
import os
from pathlib import Path

import matplotlib.figure
import networkx as nx
import pandas as pd
import pytest
from kedro.io import AbstractDataset, DatasetError

from glance_pipeline.project.hooks.whole_catalog import CannotSaveError, WholeCatalog

KINDS = {
    "text.TextDataset": ("a", "b"),
    "json.JSONDataset": ({"a": 1}, {"a": 2}),
    "glance_pipeline.datasets.JsonDataset": ({"a": 1}, {"a": 2}),
    "pandas.CSVDataset": (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
    "pandas.ParquetDataset": (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
    "networkx.GraphMLDataset": (nx.path_graph(2), nx.path_graph(3)),
    "matplotlib.MatplotlibDataset": (matplotlib.figure.Figure(), matplotlib.figure.Figure()),
}


def catalog(folder: Path, kind: str, version: str, versioned: bool = True) -> WholeCatalog:
    entry = {"type": kind, "filepath": f"{folder}/a", "versioned": versioned}
    return WholeCatalog.from_config({"a": entry}, save_version=version)  # type: ignore[return-value]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_loaded_and_a_failure_leaves_no_version(tmp_path, kind, monkeypatch):
    first, second = KINDS[kind]
    saved = catalog(tmp_path, kind, "1")
    saved.save("a", first)
    assert files(tmp_path) == ["a/1/a"]
    if "Matplotlib" not in kind:  # which only writes
        assert len(saved.load("a")) == len(first)

    def full(_descriptor: int) -> None:
        assert len(files(tmp_path)) >= 2, "it is written beside its place"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("glance_pipeline.support.whole.os.fsync", full)
    with pytest.raises(CannotSaveError, match=r"a: .*/a/2/a cannot be written: the disk is full"):
        catalog(tmp_path, kind, "2").save("a", second)
    assert files(tmp_path) == ["a/1/a"]


def test_a_run_loads_what_it_saved_and_not_what_another_one_saved_since(tmp_path):
    one, other = (catalog(tmp_path, "text.TextDataset", version) for version in "12")
    one.save("a", "one")
    other.save("a", "other")
    assert [one.load("a"), other.load("a")] == ["one", "other"]
    assert catalog(tmp_path, "text.TextDataset", "3").load("a") == "other"


def test_a_version_is_never_written_over(tmp_path):
    catalog(tmp_path, "text.TextDataset", "1").save("a", "one")
    with pytest.raises(DatasetError, match="must not exist"):
        catalog(tmp_path, "text.TextDataset", "1").save("a", "two")
    assert catalog(tmp_path, "text.TextDataset", "1").load("a") == "one"


def test_a_file_without_versions_is_replaced_at_once(tmp_path):
    for text in ("one", "two"):
        catalog(tmp_path, "text.TextDataset", "1", versioned=False).save("a", text)
    assert files(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "two"


class Careless(AbstractDataset[str, str]):
    """A dataset of a user's own, which writes in place and dies on the way."""

    def __init__(self, filepath: str) -> None:
        self._filepath = Path(filepath)

    def save(self, data: str) -> None:
        self._filepath.write_text(data[: len(data) // 2])
        raise ArithmeticError("half way")

    def load(self) -> str:
        return self._filepath.read_text()

    def _describe(self) -> dict:
        return {}


def test_a_dataset_of_a_user_s_own_is_kept_whole_too(tmp_path):
    (tmp_path / "a").write_text("before")
    mine = WholeCatalog({"a": Careless(f"{tmp_path}/a")})
    with pytest.raises(DatasetError, match="half way"):
        mine.save("a", "afterwards")
    assert files(tmp_path) == ["a"]
    assert mine.load("a") == "before"


def test_a_catalog_can_be_copied(tmp_path):
    one = catalog(tmp_path, "text.TextDataset", "1")
    copy.deepcopy(one).save("a", "copied")
    assert one.load("a") == "copied"

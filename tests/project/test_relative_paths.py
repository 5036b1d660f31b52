"""A relative path in parameters or catalog is one from the project's root, wherever one stands."""

import os
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from glance_pipeline.datasets import ClassifierDataset
from helpers.project import PROJECT


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Stand in a folder outside the project, which has what the paths seem to name."""
    folder = tmp_path / "elsewhere"
    (folder / "data/01_raw").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_parameters_name_files_from_the_project_s_root(project, elsewhere):
    ingest = {
        "source": "data/01_raw/faces",
        "label_file": "/somewhere/labels.npy",
        "context": {"tables": ["a.csv", "~/b.csv"]},
    }
    with project.session({"ingest": ingest}) as session:
        parameters = session.load_context().params
    found = parameters["ingest"]
    root = PROJECT.as_posix()
    assert found.source == f"{root}/data/01_raw/faces"
    assert found.label_file == "/somewhere/labels.npy"
    assert found.context.tables == (f"{root}/a.csv", str(Path.home() / "b.csv"))
    assert found.context.key is None and found.size == 32
    base = OmegaConf.load(PROJECT / "conf/base/parameters_prepare.yml")
    assert parameters["prepare"].idx_folder == f"{root}/{base.prepare.idx_folder}"


def test_images_are_ingested_from_anywhere(project, tmp_path, elsewhere):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 255, (40, 32, 32), dtype=np.uint8))
    source = os.path.relpath(tmp_path / "images.npy", PROJECT)
    project.run("ingest", params={"ingest": {"source": source}})
    assert project.load("images").shape == (40, 1, 32, 32)


def answer(batch: np.ndarray) -> np.ndarray:
    """A black box: logits (N, 2)."""
    mean = batch.mean((1, 2, 3))
    return np.stack([-4 * mean, 4 * mean], 1)


@pytest.mark.parametrize("at_home", [False, True])
def test_a_file_of_class_names_lies_in_the_project_or_at_home(
    tmp_path, elsewhere, monkeypatch, at_home
):
    (tmp_path / "names.txt").write_text("dark\nbright\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    names = "~/names.txt" if at_home else os.path.relpath(tmp_path / "names.txt", PROJECT)
    dataset = ClassifierDataset(
        network=f"{__name__}.answer",
        trust=True,
        specification={"image_shape": [1, 8, 8], "class_names": names},
    )
    assert dataset.load().class_names == ("dark", "bright")

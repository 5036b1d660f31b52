"""A fault at the end of the chain is found before training; the rehearsal leaves no trace."""

import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError
from kedro_datasets.pandas import CSVDataset
from PIL import Image

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations.running import local
from glance_pipeline.pipelines.explain import nodes as explain_nodes
from glance_pipeline.project.rehearsal import Rehearsal, rehearsal
from glance_pipeline.project.rehearsal.few_images import sample_rows
from glance_pipeline.project.rehearsal.shortened_parameters import for_rehearsal
from glance_pipeline.project.tracking import metric_buffer as tracking
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.testing import tiny_classifier
from helpers.chain import PARAMETERS, chain_catalog, images_of, pipelines

STAGES = ("distill", "disentangle", "align")


def rehearsed(folder: Path, **more: Any) -> Rehearsal:
    catalog = chain_catalog(folder, tiny_classifier(), more)
    return Rehearsal("distill", STAGES, catalog, pipelines())


@pytest.fixture(autouse=True)
def every_training_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "LONG", 0.0)


def test_all_works_and_nothing_is_left(tmp_path, caplog, monkeypatch):
    sent: list[Any] = []
    monkeypatch.setattr(tracking, "_buffer", buffer := type("", (), {"add": sent.append})())
    all_of_it = rehearsed(tmp_path)
    torch.manual_seed(3), random.seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global generator is what is looked at
    with caplog.at_level(logging.INFO):
        all_of_it.run()
    assert "all of the chain to the report works on 76 images" in caplog.text
    assert not list(tmp_path.iterdir())
    assert not sent and tracking._buffer is buffer
    found = float(torch.rand(())), random.random(), float(np.random.rand())  # noqa: NPY002
    torch.manual_seed(3), random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    assert found == (float(torch.rand(())), random.random(), float(np.random.rand()))  # noqa: NPY002


def breaks_for_class_b(*_: Any, **__: Any) -> str:
    raise KeyError("class b has no words")


def no_font(*_: Any) -> str:
    raise RuntimeError("Failed to load font")


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ((explain_nodes, "render_report", no_font), "explain: write report fails"),
        ((local, "describe", breaks_for_class_b), "explain: keep explanations fails"),
    ],
)
def test_an_error_late_in_the_chain_is_found(planted, said, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(*planted)
    with pytest.raises((RuntimeError, DatasetError), match=r"font|no words"):
        rehearsed(tmp_path).run()
    assert said in caplog.text
    assert "rehearse=false leaves the rehearsal out" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_saved_is_found(tmp_path, caplog):
    with pytest.raises(DatasetError, match=r"Failed while saving data to dataset .*report"):
        rehearsed(tmp_path, report=CSVDataset(filepath=str(tmp_path / "report.csv"))).run()
    assert "explain: write report fails on 76 images" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_short_training_is_not_rehearsed_beyond_its_first_steps(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(rehearsal, "LONG", 1e9)
    monkeypatch.setattr(explain_nodes, "render_report", no_font)
    with caplog.at_level(logging.INFO):
        rehearsed(tmp_path).run()
    assert "rehearsal" not in caplog.text


def test_images_that_the_user_named_are_the_ones_explained(tmp_path, monkeypatch):
    seen: list[Any] = []
    choose = explain_nodes.choose_images
    monkeypatch.setattr(
        explain_nodes,
        "choose_images",
        lambda named, images, *rest: (
            seen.extend(images[one] for one in named) or choose(named, images, *rest)
        ),
    )
    rehearsed(tmp_path, **{"params:explain": ExplainParameters(images=(88, 2, 5))}).run()
    np.testing.assert_array_equal(seen, images_of(1)[[88, 2]])


def test_what_is_shortened_is_the_runs_own_otherwise():
    align = for_rehearsal(PARAMETERS["params:align"], np.arange(3))
    assert align.stage.steps == 3
    assert list(align.stage.objectives) == list(PARAMETERS["params:align"].stage.objectives)
    assert align.units == PARAMETERS["params:align"].units


def test_of_a_folder_that_is_named_the_first_images_are_taken(tmp_path):
    for name in ("b.png", "a.png", "c.png"):
        Image.fromarray(images_of(1)[0, 0]).save(tmp_path / name)
    wanted = ExplainParameters(images=(7, str(tmp_path), 5))
    found = for_rehearsal(wanted, np.arange(5, 10)).images
    assert found == (2, str(tmp_path / "a.png"))


def test_an_image_that_is_not_there_is_named_before_the_training(tmp_path):
    with pytest.raises(UserError, match="there is no image 90; 90 images are numbered 0 to 89"):
        rehearsed(tmp_path, **{"params:explain": ExplainParameters(images=(3, 90))}).run()


def test_rare_values_are_in_the_sample():
    records = pd.DataFrame({"split": ["train"] * 5000 + ["test"] * 500})
    rare = np.zeros(5500)
    rare[[17, 4999, 5200]] = 1
    context = pd.DataFrame({"rare": rare, "kind": ["x"] * 5500, "size": np.arange(5500.0)})
    context.loc[[100, 101, 102], "kind"] = "y"
    rows = sample_rows(records, context, (4321,))
    assert {17, 4999, 100, 101, 0, 4321} <= set(rows)
    assert len(rows) < 110

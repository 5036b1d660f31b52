"""A fault at the end of the chain is found before training; the rehearsal leaves no trace."""

import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kedro.io import DatasetError
from kedro_datasets.pandas import CSVDataset
from support_chain import PARAMETERS, chain_catalog, images_of, pipelines

from glance_pipeline import tracking
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations import local
from glance_pipeline.pipelines.explain import nodes as explain_nodes
from glance_pipeline.rehearsal import Rehearsal, rehearsal
from glance_pipeline.testing import tiny_classifier

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
    ("place", "name", "fault", "said"),
    [
        (explain_nodes, "render_report", no_font, "explain: write report fails"),
        (local, "describe", breaks_for_class_b, "explain: keep explanations fails"),
    ],
)
def test_an_error_late_in_the_chain_is_found(
    place, name, fault, said, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(place, name, fault)
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
    from glance_pipeline.rehearsal.shortened import shortened

    align = shortened(PARAMETERS["params:align"], np.arange(3))
    assert align.stage.steps == 3
    assert list(align.stage.objectives) == list(PARAMETERS["params:align"].stage.objectives)
    assert align.units == PARAMETERS["params:align"].units

"""What ``init`` says, and how: options for parameters, no long list of the same, progress."""

import io
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from glance_pipeline.onboarding.inspection.labelling import Around, settle_group_and_split
from glance_pipeline.onboarding.terminal import kept_messages as quiet
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.onboarding.terminal.options import in_options
from glance_pipeline.onboarding.trying import telling, trial
from glance_pipeline.onboarding.trying.orders import Order
from glance_pipeline.onboarding.trying.readings import Reading, usual_readings, with_what_is_said

LABELS = np.array(["a", "b"] * 20, dtype=object)
ORDERS = [Order("names", {"a": 0, "b": 1})]
IMAGES = np.stack([np.full((3, 8, 8), 200 * (label == "b"), np.uint8) for label in LABELS])


def ask(reading: Reading, images: np.ndarray) -> Tensor:
    """Answer rightly, however images are read."""
    bright = torch.from_numpy(images.mean((1, 2, 3)) > 100).float()
    return torch.stack([1 - bright, bright], dim=1)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("ingest.source: folder a: none", "--images: folder a: none"),
        ("ingest.links: anywhere reads them", "--links anywhere reads them"),
        ("say ingest.context.key: index; or", "say --table-key index; or"),
        ("name the column in ingest.context.key", "name the column in --table-key"),
        ("Say ingest.label_order: names_as_text or", "Say --label-order names_as_text or"),
        ("ingest.label_column 'cls': found", "--labels 'cls': found"),
        ("say `output: sigmoid` in the specification where", "say --output sigmoid where"),
        ("name the one that is wanted under `key`", "name the one that is wanted as --key"),
        ("compute.device: found 'cuda'", "compute.device: found 'cuda'"),
    ],
)
def test_parameters_are_called_by_their_options(message: str, wanted: str) -> None:
    assert in_options(message) == wanted


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        (["train", "test", "val"], True),
        (["0", "1", "2"], True),
        (["train", "train", "train"], False),  # a data set of one file says nothing by it
        (["10", "12", "4"], False),  # another kind of split
        (["train", "test", None], False),
    ],
)
def test_a_column_is_taken_for_the_split_where_its_values_are_splits(
    values: list[str | None], taken: bool
) -> None:
    found = Around(("x", "y", "z"), pd.DataFrame({"split": values}), (), None)
    fields = settle_group_and_split(found, Wishes(), Asker(False))
    assert fields == ({"split_column": "split"} if taken else {})


def test_readings_with_the_same_figures_share_a_line_and_what_is_said_is_one_line() -> None:
    readings = usual_readings(3, ((0.5,), (0.5,)), True)
    found = trial.try_with_labels(ask, readings, ORDERS, [(IMAGES, LABELS)])
    assert found is not None
    _, lines = telling.section(found)
    assert lines[0] == ("[0, 1] and 10 more", "100.0 %, BGR 100.0 %")
    assert [name for name, _ in lines] == ["[0, 1] and 10 more", "taken"]
    said = with_what_is_said(readings, ((0.0,), (1.0,)), False)
    found = trial.try_with_labels(ask, said, ORDERS, [(IMAGES, LABELS)])
    assert found is not None
    wanted = "[0, 1], as said: 100.0 % of 40 are right; none of 21 others is clearly better"
    assert telling.section(found)[1] == [("taken", wanted)]
    wrong = replace(ORDERS[0], numbers={"a": 1, "b": 0})
    found = trial.try_with_labels(ask, said, [wrong], [(IMAGES, LABELS)])
    assert found is not None and telling.warnings(found)
    assert len(telling.section(found)[1]) > 2  # all of it, where something speaks against it


def test_a_name_in_a_list_holds_no_comma_beside_those_of_brackets() -> None:
    names = [str(each) for each in usual_readings(3, ((0.5,), (0.5,)), True)]
    assert "CIFAR-10's with std 0.20 in BGR" in names
    assert not any("," in name.replace("[0, 1]", "").partition("]")[2] for name in names)


def test_progress_of_a_trial_is_shown_although_messages_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.StringIO()
    shown.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(quiet, "_SILENT", 0.0)
    readings = usual_readings(3, ((0.5,), (0.5,)), True)
    with kept_messages(), kept_messages():
        print("of a library", file=sys.stderr)
        trial.try_with_labels(ask, readings, ORDERS, [(IMAGES, LABELS)])
    assert "normalisations, each tried on 40 images:" in shown.getvalue()
    assert "of a library" not in shown.getvalue()

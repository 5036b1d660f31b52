"""Accuracy of labels and numbers by columns of the context table, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.classifiers.task import Each, Values
from glance_pipeline.evaluation.answers import accuracy_by_columns

SPLITS = pd.Series(["train", "train", "test", "test"])


def test_labels_are_right_together_and_each_by_itself():
    decided = torch.tensor([[True, False], [True, True], [False, True], [False, False]])
    context = pd.DataFrame(
        {"smiling": ["yes", "no", "no", None], "hat": [0, 1, 0, 1], "age": [1.0, 2, 3, 4]}
    )
    found = accuracy_by_columns(Each(("smiling", "hat")), decided, context, SPLITS)
    assert found == {
        "accuracy_train": 0.5,
        "label_accuracy_train": 0.75,
        "accuracy_test": 0.0,
        "label_accuracy_test": 0.5,
    }


def test_labels_without_columns_are_not_measured(caplog):
    context = pd.DataFrame({"age": [1.0, 2, 3, 4], "hat": ["red", "blue", "red", "blue"]})
    decided = torch.ones(4, 2, dtype=torch.bool)
    assert accuracy_by_columns(Each(("smiling", "hat")), decided, context, SPLITS) == {}
    assert "hat has ['blue', 'red'], wanted 0 and 1, or no and yes" in caplog.text
    assert "no context feature has the name of one of the classifier's labels, " in caplog.text


def test_numbers_have_r2_and_an_error_in_their_unit():
    context = pd.DataFrame({"size": [1.0, 3.0, np.nan, 5.0]})
    decided = torch.tensor([[2.0], [3.0], [9.0], [4.5]])
    found = accuracy_by_columns(Values(("size",)), decided, context, SPLITS)
    assert found == {
        "r2_train": pytest.approx(1 - 1 / 2),
        "mean_absolute_error_train": 0.5,
        "mean_absolute_error_test": 0.5,  # of one image, which has no R²
    }

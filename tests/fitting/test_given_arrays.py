"""What ``Explainer.fit`` takes for images, labels, splits and context features."""

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.fitting.given_arrays import Given, as_arrays, as_images
from glance_pipeline.support.errors import UserError
from helpers.teachers import conv_net, reference

COUNT = 60
IMAGES = np.zeros((COUNT, 1, 8, 8), np.uint8)
CLASSIFIER = reference(conv_net())
"""Of the classes a, b and c."""
LABELS = ["a", "b", "c"] * 20


def context(**columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"size": rng.normal(size=COUNT), **columns})


def taken(**given: object):
    return as_arrays(IMAGES, CLASSIFIER, Given(**given), {}, seed=0)


def test_what_is_given_is_kept_row_for_row():
    table = context().set_index(np.arange(COUNT)[::-1])
    splits = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    found = taken(context=table, labels=LABELS, splits=splits)
    assert found.records["label"].tolist() == LABELS
    assert found.records["split"].value_counts().to_dict() == {
        "train": 40,
        "validation": 10,
        "test": 10,
    }
    np.testing.assert_array_equal(found.context["size"], table["size"])


@pytest.mark.parametrize("labels", [np.tile([0, 1, 2], 20), torch.tensor([0, 1, 2] * 20), LABELS])
def test_labels_are_names_or_numbers_and_each_split_has_each_class(labels):
    found = taken(labels=labels)
    assert found.records["label"].tolist() == LABELS
    assert found.records.groupby("split")["label"].value_counts().to_dict() == {
        (split, name): count
        for split, count in {"train": 16, "validation": 2, "test": 2}.items()
        for name in "abc"
    }


def test_a_label_may_be_missing():
    found = taken(labels=[None, float("nan"), *LABELS[2:]])
    assert found.records["label"].isna().tolist() == [True, True] + [False] * 58
    assert found.records["label"][2:].tolist() == LABELS[2:]


def test_without_context_all_concepts_will_be_latent():
    found = taken()
    assert found.context.shape == (COUNT, 0)
    assert list(found.records) == ["split"]


def test_a_mapping_is_a_table_and_its_values_are_not_changed():
    signs = [-1, 1] * 30
    found = taken(context={"smile": signs, 7: list(range(COUNT))})
    assert list(found.context) == ["smile", "7"]
    assert found.context["smile"].tolist() == [0, 1] * 30
    assert signs == [-1, 1] * 30


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"labels": LABELS[:5]}, "labels: found 5, wanted 60, one for each image"),
        ({"labels": ["a", "d", *LABELS[2:]]}, r"labels: found 'd', wanted a class .*'a', 'b', 'c'"),
        ({"labels": [3, *LABELS[1:]]}, "labels: found 3, wanted .* 0 to 2"),
        ({"labels": [None] * COUNT}, "labels: found none that is known"),
        ({"splits": ["train"] * COUNT}, "splits 'given': no image is in the split 'test'"),
        ({"splits": ["train", "tests"] * 30}, "found 'tests' in 30 of 60 rows"),
        ({"splits": ["train"]}, "splits: found 1, wanted 60"),
        ({"context": context()[:7]}, "context: found 7 rows, wanted 60"),
        ({"context": context(other=1.0)}, "context: 'other' cannot be used: it is constant"),
        ({"context": context(name=[f"{n}.png" for n in range(COUNT)])}, "context: 'name' cannot"),
        ({"context": context(one=np.arange(COUNT), two=np.arange(COUNT) * 2)}, "linear functions"),
        ({"context": {"a": [1, 2], "b": [1]}}, "context: found no table"),
        ({"context": pd.concat([context(), context()], axis=1)}, r"columns \['size'\] more than"),
        ({"context": np.zeros((COUNT, 2))}, "context: found no table|rows"),
    ],
)
def test_what_cannot_be_used_is_named(given, told):
    with pytest.raises(UserError, match=told):
        taken(**given)


def test_images_of_another_shape_than_the_classifier_takes_are_refused():
    with pytest.raises(UserError, match=r"found \(3, 8, 8\), the classifier wants \(1, 8, 8\)"):
        as_arrays(np.zeros((60, 3, 8, 8), np.uint8), CLASSIFIER, Given(), {}, 0)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (IMAGES / 255, r"float64 of the shape \(60, 1, 8, 8\), wanted uint8"),
        (IMAGES[:, 0], r"uint8 of the shape \(60, 8, 8\), wanted"),
        ([[1]], "found list, wanted uint8"),
        (np.zeros((9, 1, 28, 28), np.uint8), "28 is no power of two"),
        (np.zeros((9, 1, 8, 16), np.uint8), "1 channels of 8×16 px"),
        (np.zeros((9, 8, 8, 3), np.uint8), "8 channels of 8×3 px"),
        (np.zeros((9, 1, 4, 4), np.uint8), "4 is no power of two of at least 8"),
    ],
)
def test_images_are_uint8_and_of_a_size_that_is_drawn(images, told):
    with pytest.raises(UserError, match=told):
        as_images(images)


def test_a_tensor_of_images_is_an_array_of_the_same_memory():
    tensor = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    array = as_images(tensor)
    tensor[1] = 5
    assert array.shape == (3, 1, 8, 8) and (array[1] == 5).all()

"""Splits by fractions, by groups, and by a column that says them."""

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.config.splits import SplitFractions
from glance_pipeline.images.splits import split_by_column, split_by_fractions, split_by_group

FRACTIONS = SplitFractions(train=0.6, validation=0.2, test=0.2)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_each_class_is_split_in_proportion():
    labels = np.repeat(["a", "b"], [80, 20])
    splits = split_by_fractions(labels, 100, FRACTIONS, rng())
    table = pd.crosstab(splits, labels)
    assert table.loc["train"].tolist() == [48, 12]
    assert table.loc["validation"].tolist() == table.loc["test"].tolist() == [16, 4]


def test_without_labels_the_shares_alone_count():
    splits = split_by_fractions(None, 10, FRACTIONS, rng())
    assert pd.Series(splits).value_counts().to_dict() == {"train": 6, "validation": 2, "test": 2}
    with pytest.raises(ValueError, match="found 2 images, of which the smallest split gets none"):
        split_by_fractions(None, 2, FRACTIONS, rng())


def test_too_few_images_for_the_classes():
    with pytest.raises(ValueError, match=r"found 10 images, .* gets 2; wanted at least 5"):
        split_by_fractions(np.arange(10) % 5, 10, FRACTIONS, rng())
    labels = np.array(["a"] * 18 + ["b"] * 2)
    with pytest.raises(ValueError, match=r"classes b \(2\) have fewer than 3 images"):
        split_by_fractions(labels, 20, FRACTIONS, rng())


def test_no_group_is_in_two_splits():
    groups = pd.Series(np.arange(300) // 3, name="who").sample(frac=1, random_state=0)
    splits = split_by_group(groups, FRACTIONS, rng())
    assert pd.Series(splits).groupby(groups.to_numpy()).nunique().max() == 1
    sizes = pd.Series(splits).value_counts()
    assert sizes.to_dict() == {"train": 180, "validation": 60, "test": 60}


def test_images_of_no_group_are_groups_of_their_own():
    splits = split_by_group(pd.Series([None] * 20, dtype=object, name="who"), FRACTIONS, rng())
    assert set(splits) == {"train", "validation", "test"}


def test_groups_too_large_to_split_are_named():
    with pytest.raises(ValueError, match=r"'who': found 2 groups of 10 images.*splits \['"):
        split_by_group(pd.Series([1] * 5 + [2] * 5, name="who"), FRACTIONS, rng())


@pytest.mark.parametrize(
    "said",
    [
        ["train", "Val", "TEST ", "train"],
        [0, 1, 2, 0],
        [0.0, 1.0, 2.0, 0.0],
        ["training", "dev", "testing", "train"],
    ],
)
def test_a_column_says_the_splits(said):
    splits = split_by_column(pd.Series(said, name="part"), None, FRACTIONS, rng())
    assert splits.tolist() == ["train", "validation", "test", "train"]


def test_validation_is_taken_from_training_where_the_column_knows_none():
    said = pd.Series(["train"] * 80 + ["test"] * 5, name="part")
    labels = np.array(["a", "b"] * 40 + ["a"] * 5)
    splits = split_by_column(said, labels, FRACTIONS, rng())
    assert (splits[80:] == "test").all()
    chosen = labels[splits == "validation"]
    assert (chosen == "a").sum() == (chosen == "b").sum() == 10  # 0.2 of 0.8 of 80 are 20


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["train", "test", "maybe"], "found 'maybe' in 1 of 3 rows, wanted train"),
        (["train", "test", None], "found .* in 1 of 3 rows"),
        (["train", "train"], "no image is in the split 'test'; found .'train'."),
    ],
)
def test_a_column_that_says_no_split(said, message):
    with pytest.raises(ValueError, match=rf"ingest.split_column 'part': {message}"):
        split_by_column(pd.Series(said, name="part"), None, FRACTIONS, rng())

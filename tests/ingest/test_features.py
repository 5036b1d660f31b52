"""Columns become context features, or it is said why they do not."""

import datetime

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.context.table import kinds_of
from glance_pipeline.ingest.features import choose_features, drop_unusable

COUNT = 40
COLUMNS = pd.DataFrame(
    {
        "age": np.arange(COUNT) * 1.5,
        "smiling": np.tile([-1, 1], COUNT // 2),
        "hair": np.repeat(["black", "blond", "grey", "red"], [15, 12, 11, 2]),
        "glasses": np.repeat([True, False], COUNT // 2),
        "constant": 3,
        "empty": np.nan,
        "when": [datetime.datetime(2020, 1, 1) + datetime.timedelta(i) for i in range(COUNT)],
        "many": [f"id {i}" for i in range(COUNT)],
        "sparse": [1.0, 2.0, 3.0, *[np.nan] * (COUNT - 3)],
        "again": np.arange(COUNT) * 1.5,
        "one_only": [1, *[0] * (COUNT - 1)],
        "latent_1": np.arange(COUNT)[::-1] ** 2,
    }
)


def test_all_that_can_be_used_is_used_and_the_others_are_named(caplog):
    chosen = choose_features(COLUMNS, None, {}, {})
    assert list(chosen) == ["age", "smiling", "hair", "glasses"]
    for said in (
        "constant is left out: it is constant, 3 wherever it is known",
        "empty is left out: all its 40 values are missing",
        r"when is left out: its values are ['Timestamp'] (datetime64",
        "sparse is left out: it is missing for 37 of 40 images",
        "again is left out: context table: columns 'age' and 'again' hold the same values",
        "one_only is left out: '1' is the value of 1 images, wanted at least 5",
        "latent_1 is left out: context table: columns ['latent_1'] have names of latent",
    ):
        assert said in caplog.text


def test_minus_one_and_one_are_read_as_zero_and_one(caplog):
    caplog.set_level("INFO")
    chosen = choose_features(COLUMNS, ["smiling"], {}, {})
    assert chosen["smiling"].tolist() == [0, 1] * (COUNT // 2)
    assert kinds_of(chosen, {}) == {"smiling": "binary"}
    assert "−1 and 1 are read as 0 and 1 in smiling" in caplog.text


def test_with_missing_values_too():
    column = pd.DataFrame({"smiling": [-1.0, 1.0, np.nan] * 10})
    chosen = choose_features(column, None, {}, {})
    assert chosen["smiling"].fillna(7).tolist() == [0, 1, 7] * 10


def test_rare_levels_are_missing_and_named(caplog):
    chosen = choose_features(COLUMNS, ["hair"], {}, {})
    assert chosen["hair"].isna().tolist() == [False] * 38 + [True] * 2
    assert "hair: levels of fewer than 5 images are taken as missing: red (2)" in caplog.text


def test_infinite_values_are_missing():
    column = pd.DataFrame({"age": [np.inf, 1.0, 2.0, 3.0]})
    assert choose_features(column, None, {}, {})["age"].isna().tolist() == [True] + [False] * 3


def test_a_label_is_no_feature_unless_it_is_named():
    reserved = {"smiling": "it is the label"}
    assert "smiling" not in choose_features(COLUMNS, None, reserved, {})
    assert "smiling" in choose_features(COLUMNS, ["smiling"], reserved, {})


@pytest.mark.parametrize(
    ("name", "kinds", "message"),
    [
        ("gone", {}, r"there is no column \['gone'\]; found \['age', 'smiling'"),
        ("constant", {}, "'constant' cannot be used: it is constant, 3"),
        ("empty", {}, "'empty' cannot be used: all its 40 values are missing"),
        ("when", {}, r"'when' cannot be used: its values are .*wanted numbers, truth values or"),
        (
            "age",
            {"age": "binary"},
            "'age' cannot be used: .* is declared binary, but has 40 values",
        ),
        ("hair", {"hair": "continuous"}, "'hair' cannot be used: .* is declared continuous"),
        ("one_only", {}, "'one_only' cannot be used: '1' is the value of 1 images"),
    ],
)
def test_a_named_column_that_cannot_be_used_is_an_error(name, kinds, message):
    with pytest.raises(ValueError, match=rf"ingest\.context\.features: {message}"):
        choose_features(COLUMNS, [name], {}, kinds)


def test_no_table_gives_no_feature_but_a_row_for_each_image():
    chosen = choose_features(pd.DataFrame(index=range(5)), None, {}, {})
    assert chosen.shape == (5, 0)
    with pytest.raises(ValueError, match=r"\['age'\]; found no column: ingest\.context\.tables"):
        choose_features(pd.DataFrame(index=range(5)), ["age"], {}, {})


def test_what_cannot_be_aligned_is_dropped_or_refused(caplog):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    context = pd.DataFrame({"a": a, "b": b, "sum": a + b, "late": [0.0] * 29 + [1.0]})
    records = pd.DataFrame({"split": ["train"] * 29 + ["test"]})
    assert list(drop_unusable(context, records, {}, named=False)) == ["a", "b"]
    assert "late is left out: late does not vary over the training images" in caplog.text
    assert "sum is left out: it is a linear function of ['a', 'b']" in caplog.text
    with pytest.raises(ValueError, match=r"'late'.* do not vary over the training images"):
        drop_unusable(context, records, {}, named=True)

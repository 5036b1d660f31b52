"""Disentanglement measures on codes whose scores are worked out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import hadamard

from glance_pipeline.evaluation.disentanglement import (
    completeness_of,
    disentanglement,
    disentanglement_completeness_informativeness,
    disentanglement_of,
    mutual_information_gap,
    partial_correlations,
    separated_attribute_predictability,
)
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import tiny_surrogate

HALF = np.repeat([0.0, 1.0], 4)
"""A feature with two values, four times each: its entropy is log 2."""

COLUMNS = hadamard(8)[:, 1:].astype(float)
"""Seven columns, centred, orthogonal to one another and of equal length."""


def uniform(columns: int, rows: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (rows, columns))


def test_gap_is_1_where_one_dimension_is_the_feature_and_the_others_are_constant():
    feature = np.arange(100.0)[:, None]
    codes = np.hstack([-3 * feature + 7, np.full((100, 1), 2.0)])
    assert mutual_information_gap(codes, feature) == pytest.approx(1.0)
    assert separated_attribute_predictability(codes, feature) == pytest.approx(1.0)


def test_gap_is_0_where_two_dimensions_say_the_same():
    feature = np.arange(100.0)[:, None]
    codes = np.hstack([feature, -feature])
    assert mutual_information_gap(codes, feature) == pytest.approx(0.0, abs=1e-12)
    assert separated_attribute_predictability(codes, feature) == pytest.approx(0.0, abs=1e-12)


def test_mutual_information_gap_of_a_table_of_counts():
    # Three of four right on either side: I = ¾ log 3/2 − ¼ log 2, H = log 2; the second
    # dimension is independent of the feature.
    codes = np.array([[0, 0, 0, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1, 0, 1]], float).T
    wanted = (0.75 * np.log(1.5) - 0.25 * np.log(2)) / np.log(2)
    assert mutual_information_gap(codes, HALF[:, None]) == pytest.approx(wanted)


def test_bins_are_of_equal_width():
    # Of 0, 1, 2, 10 all but the last fall into the lower of two bins from 0 to 10: as a code for
    # (0, 0, 1, 1) its I is H(¼) − ½ log 2, and the dimension with the feature itself has log 2.
    feature = np.array([0.0, 0, 1, 1])
    codes = np.stack([feature, [0.0, 1, 2, 10]], axis=1)
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    wanted = 1 - (entropy - 0.5 * np.log(2)) / np.log(2)
    assert mutual_information_gap(codes, feature[:, None], bins=2) == pytest.approx(wanted)


def test_predictability_gap_of_a_mixed_dimension():
    f, g = COLUMNS[:, 0], COLUMNS[:, 1]
    # R² on f + g is ½ for either feature. Feature f: best 1, next ½. Feature g: best ½, next 0.
    codes = np.stack([f, f + g], axis=1)
    assert separated_attribute_predictability(codes, np.stack([f, g], axis=1)) == pytest.approx(0.5)


def test_a_single_dimension_is_compared_with_nothing():
    f, g = COLUMNS[:, :2].T
    assert separated_attribute_predictability((f + g)[:, None], f[:, None]) == pytest.approx(0.5)
    assert mutual_information_gap(HALF[:, None], HALF[:, None]) == pytest.approx(1.0)


def test_scores_of_given_importances():
    # Each row and each column has shares ¾ and ¼; in bits their entropy is 2 − ¾ log₂ 3.
    shared = np.array([[3.0, 1.0], [1.0, 3.0]])
    wanted = 1 - (2 - 0.75 * np.log2(3))
    assert disentanglement_of(shared) == pytest.approx(wanted)
    assert completeness_of(shared) == pytest.approx(wanted)
    # A dimension that no feature uses has no weight in disentanglement.
    assert disentanglement_of(np.array([[1.0, 0], [0, 1], [0, 0]])) == pytest.approx(1.0)
    # Two dimensions for one feature, none of them for another feature too: only C suffers.
    spread = np.array([[0.5, 0], [0.5, 0], [0, 1], [0, 0]])
    assert disentanglement_of(spread) == pytest.approx(1.0)
    assert completeness_of(spread) == pytest.approx((0.5 + 1.0) / 2)
    # The first dimension serves both features alike and has ⅔ of all importance: D = ⅔ · 0 + ⅓ · 1.
    common = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert disentanglement_of(common) == pytest.approx(1 / 3)
    assert completeness_of(common) == pytest.approx((0 + 1) / 2)


def test_trees_on_a_code_that_is_the_features_and_on_one_that_is_rotated():
    features = uniform(2)
    noise = np.random.default_rng(1).normal(size=(len(features), 1))
    right = disentanglement_completeness_informativeness(
        np.hstack([features, noise]), features, np.random.default_rng(0)
    )
    assert min(right.values()) > 0.98
    rotated = features @ np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    mixed = disentanglement_completeness_informativeness(
        rotated, features, np.random.default_rng(0)
    )
    assert mixed["disentanglement"] < 0.05 and mixed["completeness"] < 0.05
    assert mixed["informativeness"] > 0.9
    assert mutual_information_gap(rotated, features) < 0.05
    assert separated_attribute_predictability(rotated, features) < 0.05


def test_trees_read_nothing_off_noise_on_images_they_were_not_fitted_on():
    noise, features = uniform(3)[:, :2], uniform(3)[:, 2:]
    found = disentanglement_completeness_informativeness(noise, features, np.random.default_rng(0))
    assert found["informativeness"] < 0


def test_the_split_comes_from_the_generator():
    codes = uniform(2, rows=60) + 0.5 * np.random.default_rng(1).normal(size=(60, 2))
    features = uniform(2, rows=60)
    found = [
        disentanglement_completeness_informativeness(codes, features, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_partial_correlation_of_orthogonal_parts():
    common, own, other, noise = COLUMNS[:, :4].T
    features = np.stack([common + own, common + other], axis=1)
    code = common + own + noise
    # Given the second feature, the first keeps own + ½ common − ½ other, and so does the code,
    # beside its noise: 1.5 / √(2.5 · 1.5). Given the first, the code keeps noise alone.
    found = partial_correlations(code[:, None], features)
    assert found == pytest.approx(np.array([[np.sqrt(0.6), 0.0]]), abs=1e-9)


def test_partial_correlation_of_three_columns_is_the_textbook_formula():
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 200)) + 0.7 * rng.normal(size=200)
    xy, xz, yz = (np.corrcoef(a, b)[0, 1] for a, b in ((x, y), (x, z), (y, z)))
    wanted = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    found = partial_correlations(x[:, None], np.stack([y, z], axis=1))
    assert found[0, 0] == pytest.approx(wanted)


def test_nothing_is_left_of_a_code_that_the_other_features_determine():
    f, g = COLUMNS[:, :2].T
    features = np.stack([f, f + g], axis=1)
    assert partial_correlations(features[:, 1:], features)[0].tolist() == pytest.approx([0, 1])


@pytest.mark.parametrize(
    "measure",
    [mutual_information_gap, separated_attribute_predictability, partial_correlations],
)
def test_what_cannot_be_measured_is_refused(measure):
    with pytest.raises(ValueError, match="feature 1 has one value in all 4 rows"):
        measure(np.arange(4.0)[:, None], np.array([[0, 1.0], [1, 1], [2, 1], [3, 1]]))
    with pytest.raises(ValueError, match="found 4 codes, wanted 5"):
        measure(np.arange(4.0)[:, None], np.arange(5.0)[:, None])


def test_a_pruned_concept_is_no_code_and_a_word_no_feature(caplog):
    surrogate = tiny_surrogate()
    surrogate.concepts = tuple(
        concept if concept.name != "latent_1" else type(concept)("latent_1", "latent", active=False)
        for concept in surrogate.concepts
    )
    concepts = torch.as_tensor(uniform(3, rows=80), dtype=torch.float32)
    context = pd.DataFrame(
        {
            "size": concepts[:, 0].numpy(),
            "tilt": concepts[:, 1].numpy(),
            "colour": ["red", "blue"] * 40,
            "frame": 1.0,
        }
    )
    codes = Codes(concepts, torch.zeros(80, 4))
    found = disentanglement(surrogate, codes, context, np.random.default_rng(0))
    assert set(found) == {"mig", "sap", "dci", "partial_correlation"}
    assert set(found["partial_correlation"]) == {"size", "tilt"}  # type: ignore[call-overload]
    assert found["partial_correlation"]["size"] == pytest.approx({"size": 1, "tilt": 0}, abs=1e-6)
    assert "['colour', 'frame']" in caplog.text
    nothing = disentanglement(surrogate, codes, context[["frame"]], np.random.default_rng(0))
    assert nothing == {}


def sizes_and_tilts(rows: int = 80) -> tuple[Codes, pd.DataFrame]:
    """Return random codes, and their first two dimensions as measured features."""
    concepts = torch.as_tensor(uniform(3, rows=rows), dtype=torch.float32)
    context = pd.DataFrame({"size": concepts[:, 0].numpy(), "tilt": concepts[:, 1].numpy()})
    return Codes(concepts, torch.zeros(rows, 4)), context


def test_images_without_a_value_of_a_feature_take_no_part(caplog):
    codes, context = sizes_and_tilts()
    wanted = disentanglement(
        tiny_surrogate(), codes[5:], context.iloc[5:], np.random.default_rng(0)
    )
    context.loc[:2, "size"] = np.nan
    context["tilt"] = context["tilt"].astype("Float64")
    context.loc[3:4, "tilt"] = pd.NA
    assert disentanglement(tiny_surrogate(), codes, context, np.random.default_rng(0)) == wanted
    assert "5 of 80 images lack a value" in caplog.text


def test_a_feature_without_any_value_is_left_out_and_costs_no_images(caplog):
    codes, context = sizes_and_tilts()
    wanted = disentanglement(tiny_surrogate(), codes, context[["size"]], np.random.default_rng(0))
    context["tilt"] = np.nan
    assert disentanglement(tiny_surrogate(), codes, context, np.random.default_rng(0)) == wanted
    assert "['tilt'] left out" in caplog.text
    assert "lack a value" not in caplog.text


def test_a_feature_that_varies_only_where_another_is_missing_is_left_out():
    codes, context = sizes_and_tilts()
    context.loc[10:, "tilt"] = 0.5
    context.loc[:9, "size"] = np.nan
    found = disentanglement(tiny_surrogate(), codes, context, np.random.default_rng(0))
    assert set(found["partial_correlation"]["latent_1"]) == {"size"}
    context.loc[13:, "size"] = np.nan  # three images are left
    assert disentanglement(tiny_surrogate(), codes, context, np.random.default_rng(0)) == {}


def test_numbers_that_the_surrogate_takes_for_levels_are_no_quantity(caplog):
    surrogate = tiny_surrogate()
    size, tilt, latent = surrogate.concepts
    levels = replace(tilt, name="tilt=1", measure="categorical", feature="tilt", levels=("1",))
    surrogate.concepts = (size, levels, latent)
    codes, context = sizes_and_tilts()
    context["tilt"] = [1, 2, 3, 4] * 20
    found = disentanglement(surrogate, codes, context, np.random.default_rng(0))
    assert set(found["partial_correlation"]) == {"size", "tilt=1", "latent_1"}  # type: ignore[call-overload]
    assert set(found["partial_correlation"]["size"]) == {"size"}
    assert "['tilt'] left out" in caplog.text

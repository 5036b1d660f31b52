"""Rivals of the glass boxes: parts whose values are known by hand, and how they are scored."""

import numpy as np
import pytest
import torch

from benchmarks.glassbox.cases import CASES
from benchmarks.glassbox.explainers.compare import scored
from benchmarks.glassbox.explainers.dice import loss_beside_answer
from benchmarks.glassbox.explainers.integrated_gradients import mask_of
from benchmarks.glassbox.explainers.table import explainer_summary, explainer_table
from benchmarks.glassbox.explainers.tcav import _mean_vector
from benchmarks.glassbox.truth import Redrawn

TRUE = {"thickness": 1.0, "slant": 2.0, "intensity": 0.0}


def test_a_rival_is_right_only_if_the_planted_features_stand_above_all_it_knows() -> None:
    case = CASES["thickness_and_slant"]
    found = {"thickness": 2.0, "slant": 3.0, "intensity": 1.0}
    assert scored(case, found, TRUE, 0.5)["top1_right"]
    beside_a_latent = scored(case, {**found, "latent_1": 2.5}, TRUE, 0.5)
    assert not beside_a_latent["top1_right"] and beside_a_latent["context_top1_right"]
    assert beside_a_latent["rank_correlation"] == 1.0
    assert not scored(case, {**found, "intensity": 2.0}, TRUE, 0.5)["top1_right"]  # a tie
    assert scored(case, dict.fromkeys(found, 1.0), TRUE, 0.5)["rank_correlation"] == 0.0


def test_where_the_reason_is_in_no_table_nothing_can_be_on_top() -> None:
    said = scored(CASES["left_heaviness"], {"thickness": 1.0}, TRUE, 0.5)
    assert said["top1_right"] is said["context_top1_right"] is said["rank_correlation"] is None


def test_the_summary_counts_the_cases_in_which_something_could_be_right() -> None:
    right = {"top1_right": True, "context_top1_right": True, "rank_correlation": 0.5, "seconds": 1}
    wrong = {"top1_right": False, "context_top1_right": True, "rank_correlation": None}
    other = {"top1_right": None, "context_top1_right": None, "rank_correlation": None}
    cases = [{"explainers": {"A": right}}, {"explainers": {"A": {**wrong, "seconds": 2}}}]
    cases += [{"explainers": {"A": {**other, "seconds": 6}, "B": {**other, "seconds": 1}}}]
    first, second = explainer_summary(cases)
    assert first == {
        "name": "A",
        "cases": 2,
        "top1_right": 1,
        "context_top1_right": 2,
        "rank_correlation": 0.5,
        "seconds": 3.0,
    }
    assert (second["cases"], second["rank_correlation"]) == (0, None)
    assert "1 of 2" in explainer_table([first, second])


def test_distance_less_diversity_of_two_changes() -> None:
    moves = torch.tensor([[[0.0, 0.0], [2.0, 2.0]]])
    # Distances 0 and 2; the kernel is [[1, 1/3], [1/3, 1]], its determinant 8/9.
    assert loss_beside_answer(moves).item() == pytest.approx(0.5 * 1 - 8 / 9)


def test_a_mask_is_where_redrawing_changes_the_image() -> None:
    above = np.zeros((2, 1, 2, 2), np.uint8)
    above[0, 0] = [[0, 10], [30, 0]]
    mask = mask_of(Redrawn(above, np.zeros_like(above), np.ones(2)))
    np.testing.assert_allclose(mask[0], [[0, 0.25], [0.75, 0]])
    assert not mask[1].any()


def test_a_concept_vector_points_from_low_to_high_values() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(600, 3))
    vector = _mean_vector(features, -2 * features[:, 1], generator)
    assert vector[1] < -0.9 and abs(vector[[0, 2]]).max() < 0.25
    assert np.linalg.norm(vector) <= 1 + 1e-9

import math

import numpy as np
import pytest
import torch

from benchmarks.glassbox.cases import CASES, Case
from benchmarks.glassbox.effects import Effect, effect_of, found_changes
from benchmarks.glassbox.importances import mean_importances
from benchmarks.glassbox.score import planted_on_top, score
from glance_pipeline.graph.effects.experiment import Changes
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def effects(**means: float) -> dict[str, Effect]:
    return {name: Effect(mean, abs(mean)) for name, mean in means.items()}


TRUE = effects(thickness=1.0, slant=-0.6, intensity=0.4, length=0.1)


def test_score_of_one_planted_concept():
    true = effects(thickness=0.02, slant=1.0)
    found = effects(thickness=-0.2, slant=0.8, latent_1=0.4)
    result = score(CASES["slant"], found, true)
    assert result.top1_right and result.signs_right
    assert result.leak == pytest.approx(0.5)
    assert result.leak_context == pytest.approx(0.25)
    assert result.true_leak == pytest.approx(0.02)
    assert result.rank_correlation is None


def test_a_latent_concept_may_not_be_on_top():
    found = effects(thickness=0.0, slant=0.8, latent_1=-0.9)
    assert not score(CASES["slant"], found, effects(thickness=0.0, slant=1.0)).top1_right


def test_score_of_several_planted_concepts():
    found = effects(thickness=0.5, slant=-0.7, intensity=0.3, length=0.05, latent_1=0.2)
    result = score(CASES["three_weights"], found, TRUE)
    assert result.top1_right and result.signs_right
    assert result.leak == pytest.approx(0.2 / 0.7)
    # Ranks 3, 4, 2, 1 against 4, 3, 2, 1: 1 − 6 · 2 / (4 · 15).
    assert result.rank_correlation == pytest.approx(0.8)


def test_a_wrong_sign_and_a_usurped_place_are_seen():
    found = effects(thickness=0.5, slant=0.7, intensity=0.1, length=0.2)
    result = score(CASES["three_weights"], found, TRUE)
    assert not result.top1_right
    assert not result.signs_right


def test_planted_concepts_without_effect_leak_without_bound():
    result = score(CASES["slant"], effects(thickness=0.1), effects(thickness=0.0, slant=1.0))
    assert result.leak == math.inf
    assert result.to_dict()["leak"] is None
    assert not result.top1_right and not result.signs_right


def test_an_interaction_is_scored_by_magnitude_and_by_halves():
    case = CASES["intensity_times_slant"]
    true = {
        "intensity": Effect(0.0, 1.0, -1.0, 1.0),
        "slant": Effect(0.1, 1.1, -1.0, 1.2),
        "length": Effect(0.0, 0.1),
    }
    found = {
        "intensity": Effect(0.2, 0.6, -0.4, 0.8),
        "slant": Effect(0.3, 0.7, -0.1, 0.7),
        "length": Effect(-0.35, 0.35),
    }
    result = score(case, found, true)
    assert result.top1_right and result.signs_right
    assert result.leak == pytest.approx(0.5)
    found["slant"] = Effect(0.3, 0.7, 0.1, 0.7)
    assert not score(case, found, true).signs_right


def test_average_over_images_and_over_halves():
    margins = np.array([[9.0, 2.0], [9.0, -1.0], [9.0, 3.0]])
    changes = Changes(margins, np.array([2.0, 1.0, 1.0]))
    effect = effect_of(changes, np.array([True, False, True]))
    assert effect == Effect(mean=1.0, magnitude=1.5, low_half=-1.0, high_half=5 / 3)


def test_found_effects_of_a_known_surrogate():
    surrogate, classifier = glass_box(
        lambda u: u @ u.new_tensor([[0.0, 1.5], [0.0, 0.0], [0.0, -0.5]]),
        class_names=("no", "yes"),
    )
    rng = np.random.default_rng(0)
    concepts = rng.normal(size=(60, 3)) * [0.8, 0.8, 0.4]
    codes = Codes(torch.tensor(concepts).float(), torch.zeros(60, 4))
    images = to_uint8(surrogate.generate(codes))
    found = found_changes(surrogate, classifier, images, step=1.0)
    assert effect_of(found["shade"]).mean == pytest.approx(1.5, abs=0.05)
    assert effect_of(found["tilt"]).mean == pytest.approx(0.0, abs=0.02)
    # A latent concept counts by its own spread, which is 0.4 here.
    spread = concepts[:, 2].std(ddof=1)
    assert effect_of(found["latent_1"]).mean == pytest.approx(-0.5 * spread, abs=0.02)


def test_planted_concepts_are_on_top_by_their_shapley_values():
    """Margin of yes: 2·shade − tilt + latent_1/5; a value is weight · (own − mean background)."""
    surrogate, classifier = glass_box(
        lambda u: u @ u.new_tensor([[0.0, 2.0], [0.0, -1.0], [0.0, 0.2]]), class_names=("no", "yes")
    )
    rng = np.random.default_rng(0)
    concepts = torch.tensor(rng.normal(size=(90, 3)) * 0.7).float()
    images = to_uint8(surrogate.generate(Codes(concepts, torch.zeros(90, 4))))
    sizes = mean_importances(surrogate, classifier, images[:24], images[30:], seed=0)
    away = (concepts[30:] - concepts[:24].mean(0)).abs().mean(0).numpy() * [2, 1, 0.2]
    assert list(sizes.values()) == pytest.approx(away.tolist(), abs=0.08)
    case = Case("x", ("shade", "tilt"))
    assert planted_on_top(case, sizes)
    assert not planted_on_top(Case("x", ("shade", "latent_1")), sizes)
    assert not planted_on_top(case, sizes | {"latent_2": 5.0})
    assert not planted_on_top(case, {"shade": 1.0, "latent_1": 0.5})

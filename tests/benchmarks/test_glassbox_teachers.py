"""The teachers and their true effects, on digits that are really redrawn."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.glassbox.cases import CASES
from benchmarks.glassbox.digits import Digits, prepare_digits
from benchmarks.glassbox.effects import effect_of
from benchmarks.glassbox.shortcuts import confounded, digit_effect
from benchmarks.glassbox.teachers import Term, intensity, moment_teacher, slant, thickness
from benchmarks.glassbox.truth import Redrawn, redraw, true_changes
from glance_pipeline.classifiers.classifier import Answer
from glance_pipeline.config.prepare import PrepareParameters

FEATURES = ("thickness", "intensity", "slant", "length")
PARAMETERS = PrepareParameters(number_of_images=150)


@pytest.fixture(scope="module")
def digits() -> Digits:
    return prepare_digits("independent", PARAMETERS, seed=0, workers=1)


@pytest.fixture(scope="module")
def redrawn(digits: Digits) -> dict[str, Redrawn]:
    rows = digits.rows_of("test")
    return {name: redraw(digits, name, rows, 1.0, workers=1) for name in FEATURES}


def stroke(width: int, grey: float = 1.0) -> torch.Tensor:
    """An upright bar, 20 px long."""
    image = torch.zeros(1, 1, 32, 32)
    image[:, :, 6:26, 10 : 10 + width] = grey
    return image


def test_moments_of_a_bar():
    bar = stroke(4, 0.6)
    assert intensity(bar).item() == pytest.approx(0.6, rel=1e-4)
    assert slant(bar).item() == pytest.approx(0, abs=1e-4)
    # Mass 80 · 0.6. Roberts's gradient has length 0.6 at the 2 · (19 + 3) places that a side runs
    # through, and 0.6 / √2 at each of the four corners.
    assert thickness(bar).item() == pytest.approx(80 / (44 + 4 / 2**0.5), rel=1e-3)


def test_thickness_does_not_depend_on_grey_and_grows_with_the_width():
    assert thickness(stroke(3, 0.4)).item() == pytest.approx(thickness(stroke(3)).item(), rel=1e-3)
    assert thickness(stroke(2)) < thickness(stroke(3)) < thickness(stroke(4))


def test_slant_of_a_sheared_bar():
    image = torch.zeros(1, 1, 32, 32)
    for row in range(2, 30):
        image[0, 0, row, 23 - row // 2] = 1.0  # half a pixel to the right for each row upwards
    assert slant(image).item() == pytest.approx(np.arctan(0.5), abs=0.01)


def test_a_faint_haze_and_less_than_black_hardly_count():
    bar = stroke(4)
    haze = 0.02 * torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.01
    assert slant(bar + haze).item() == pytest.approx(0, abs=1e-3)
    assert intensity(bar + haze).item() == pytest.approx(1, abs=0.01)
    assert thickness(bar + haze).item() == pytest.approx(thickness(bar).item(), rel=0.02)


def test_moments_of_nothing_have_finite_gradients():
    for moment in (slant, intensity, thickness):
        empty = torch.zeros(1, 1, 32, 32, requires_grad=True)
        moment(empty).sum().backward()
        assert torch.isfinite(empty.grad).all()


def test_margin_is_brought_into_range(digits: Digits):
    terms = (Term(1.0, ("thickness",)), Term(-0.5, ("slant", "intensity")))
    answer = moment_teacher(terms, digits.images, margin=2.0).answers(digits.images)
    margin = answer.logits[:, 1] - answer.logits[:, 0]
    assert margin.mean().item() == pytest.approx(0, abs=1e-4)
    assert margin.std().item() == pytest.approx(2.0, rel=1e-4)
    assert answer.features.shape == (150, 3)
    assert answer.features.std(0).numpy() == pytest.approx(np.ones(3), rel=1e-4)


@pytest.mark.parametrize("planted", ["slant", "intensity", "thickness"])
def test_a_planted_moment_has_a_true_effect_and_nothing_else_has(digits, redrawn, planted):
    classifier = moment_teacher(CASES[planted].terms, digits.images, margin=2.0)
    effects = {name: effect_of(true_changes(redrawn[name], classifier)) for name in FEATURES}
    assert effects[planted].mean == pytest.approx(2.0, rel=0.12)
    others = [abs(effects[name].mean) for name in FEATURES if name != planted]
    assert max(others) < 0.15


def test_an_interaction_has_the_sign_of_the_half(digits, redrawn):
    case = CASES["intensity_times_slant"]
    classifier = moment_teacher(case.terms, digits.images, margin=2.0)
    rows = digits.rows_of("test")
    dark = (digits.context["intensity"] <= digits.context["intensity"].median()).to_numpy()[rows]
    effect = effect_of(true_changes(redrawn["slant"], classifier), ~dark)
    assert effect.low_half < -0.5 < 0.5 < effect.high_half
    assert abs(effect.mean) < effect.magnitude / 2


def test_length_is_moved_by_redrawing_a_larger_digit(digits, redrawn):
    moved = redrawn["length"]
    assert moved.steps.mean() > 0.8
    ink = [(images > 0).sum() for images in (moved.above, moved.below)]
    assert ink[0] > 1.2 * ink[1]


def test_redrawing_a_mark_moves_nothing_else():
    digits = prepare_digits("marked", PARAMETERS, seed=0, workers=1)
    rows = digits.rows_of("test")
    moved = redraw(digits, "mark", rows, 1.0, workers=1)
    assert (moved.above[:, :, 6:] == digits.images[rows][:, :, 6:]).all()
    spread = digits.context["mark"].to_numpy()[digits.rows_of("train")].std()
    difference = moved.above[:, 0, 3, 3].astype(float) - moved.below[:, 0, 3, 3]
    assert moved.steps * spread == pytest.approx(difference, abs=1.0)
    assert difference.mean() > spread


def test_a_confounded_feature_keeps_its_values_and_tells_the_label():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"slant": rng.normal(size=20_000), "thickness": 1.0})
    labels = rng.random(20_000) < 0.5
    mixed = confounded(frame, "slant", labels, 3.0, rng)
    assert sorted(mixed["slant"]) == sorted(frame["slant"])
    near = mixed["slant"].between(0.45, 0.55).to_numpy()
    odds = labels[near].mean() / (1 - labels[near].mean())
    assert np.log(odds) == pytest.approx(1.5, abs=0.2)


def test_what_is_left_of_the_digit_is_measured(digits: Digits):
    class KnowsTheDigit:
        """Margins of +3 for digits of 5 or more in the training split, −1 for the others."""

        def answers(self, images):
            meant = digits.records["label"].to_numpy()[digits.rows_of("train")] >= 5
            logits = torch.zeros(len(images), 2)
            logits[:, 1] = torch.as_tensor(np.where(meant, 3.0, -1.0))
            return Answer(logits, logits)

    assert digit_effect(KnowsTheDigit(), digits) == pytest.approx(2.0)

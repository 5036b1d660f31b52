import numpy as np
import pandas as pd
import pytest

from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.render import render_digit, render_digits, stroke_points
from glance_pipeline.digits.sources import read_embedded_digits


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return read_embedded_digits()[0][::50]


@pytest.fixture(scope="module")
def intended(digits) -> pd.DataFrame:
    return STRUCTURAL_MODELS["standard"].draw(len(digits), np.random.default_rng(0))


def test_the_drawing_measures_as_intended(digits, intended):
    images = render_digits(digits, intended, n_jobs=1, progress=False)
    assert images.shape == (100, 32, 32)
    assert images.dtype == np.uint8
    error = (measure_digits(images, n_jobs=1, progress=False) - intended).abs().mean()
    assert error["thickness"] <= 0.15
    assert error["slant"] <= 0.01
    assert error["intensity"] <= 2


def test_any_number_of_workers_draws_the_same(digits, intended):
    one = render_digits(digits[:70], intended[:70], n_jobs=1, progress=False)
    two = render_digits(digits[:70], intended[:70], n_jobs=2, progress=False)
    assert np.array_equal(one, two)


def test_every_digit_stays_within_the_frame(digits):
    for digit in digits[::5]:
        for slant in (-0.7, 0.7):
            image = render_digit(digit, 4.5, slant, 255)
            border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
            assert not border.any()
            rows, columns = np.nonzero(image)
            assert abs(rows.min() + rows.max() - 31) <= 1
            assert abs(columns.min() + columns.max() - 31) <= 1


def test_thicker_holds_thinner_and_brighter_is_a_factor(digits):
    thin, thick = (render_digit(digits[30], t, 0.1, 200).astype(int) for t in (1.5, 4.0))
    assert thick.sum() > 1.5 * thin.sum()
    assert (thick[thin > 100] > 100).all()
    dim, bright = (render_digit(digits[30], 3.0, 0.1, level).astype(float) for level in (80, 160))
    np.testing.assert_allclose(2 * dim, bright, atol=2)


def test_the_drawing_changes_little_where_the_intent_changes_little(digits):
    for digit in digits[::20]:
        for thickness, slant in ((2.5, 0.01), (2.55, 0.0)):
            before = render_digit(digit, 2.5, 0.0, 200).astype(float)
            after = render_digit(digit, thickness, slant, 200).astype(float)
            assert np.abs(after - before).mean() < 4
            assert not np.array_equal(after, before)


def test_dirt_beside_the_strokes_is_left_out():
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:15] = 255
    clean = stroke_points(digit)
    digit[6, 22] = 255
    assert np.array_equal(stroke_points(digit), clean)


def test_a_dot_is_a_digit_where_there_is_nothing_else():
    digit = np.zeros((28, 28), np.uint8)
    digit[14, 14] = 255
    image = render_digit(digit, 4.0, 0.2, 150)
    assert int(image[15:17, 15:17].min()) == pytest.approx(150, abs=5)


def test_a_blank_source_is_refused():
    with pytest.raises(ValueError, match="nothing is drawn on the source image"):
        render_digit(np.zeros((28, 28), np.uint8), 2, 0, 200)


def test_as_many_features_as_digits_are_wanted(digits, intended):
    with pytest.raises(ValueError, match="found 100 rows of features, wanted 7"):
        render_digits(digits[:7], intended, progress=False)

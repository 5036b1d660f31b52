"""Measured properties, against values that are known by hand."""

import numpy as np
import pytest

from glance_pipeline.context.properties import measure_properties


def square(rows: slice, columns: slice, light: int = 255, channels: int = 1) -> np.ndarray:
    image = np.zeros((1, channels, 16, 16), np.uint8)
    image[:, :, rows, columns] = light
    return image


def test_a_square_by_hand() -> None:
    found = measure_properties(square(slice(0, 4), slice(0, 4))).iloc[0]
    assert found["brightness"] == pytest.approx(16 / 256)
    assert found["figure area"] == pytest.approx(16 / 256)
    assert found["parts"] == 1 and found["hole area"] == 0
    # Columns 0 to 3 of 16 lie at −1 … 1 in steps of 2/15: their middle is −1 + 1.5 · 2/15.
    assert found["centre across"] == pytest.approx(-1 + 0.2, abs=1e-3)
    assert found["centre down"] == pytest.approx(-0.8, abs=1e-3)
    assert found["elongation"] == pytest.approx(0, abs=1e-3)
    assert found["skewness across"] == pytest.approx(0, abs=1e-3)
    assert found["symmetry across"] == pytest.approx(0)
    assert found["upper left corner"] == pytest.approx(1)
    assert found["lower right corner"] == 0
    assert found["upper border"] == pytest.approx(0.25)
    assert found["place at the upper border"] < -0.7


def test_wide_is_elongated_and_a_middle_is_symmetric() -> None:
    found = measure_properties(square(slice(6, 10), slice(2, 14))).iloc[0]
    assert found["elongation"] > 0.5
    assert found["symmetry across"] == pytest.approx(1) == found["symmetry down"]
    assert found["upright edges"] < 0  # its edges run across: grey levels change downwards


def test_a_ring_has_a_hole_and_two_dots_are_two_parts() -> None:
    ring = square(slice(4, 12), slice(4, 12))
    ring[..., 6:10, 6:10] = 0
    assert measure_properties(ring)["hole area"][0] == pytest.approx(16 / 256)
    dots = square(slice(2, 4), slice(2, 4)) + square(slice(10, 12), slice(10, 12))
    assert measure_properties(dots)["parts"][0] == 2


def test_dark_on_bright_has_the_mass_of_bright_on_dark() -> None:
    bright = square(slice(2, 6), slice(3, 9))
    same = ["centre across", "centre down", "spread", "elongation", "figure area", "hole area"]
    one, other = measure_properties(bright)[same], measure_properties(255 - bright)[same]
    assert one.to_numpy() == pytest.approx(other.to_numpy())


def test_colour() -> None:
    red = square(slice(0, 16), slice(0, 16), channels=3)
    red[:, 1:] = 0
    found = measure_properties(red).iloc[0]
    assert (found["saturation"], found["redness"], found["blueness"]) == (1, 1, -0.5)
    assert "redness" not in measure_properties(square(slice(0, 2), slice(0, 2)))


def test_an_empty_image_and_many_images_have_finite_values() -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), np.uint8)
    images[0] = 0
    found = measure_properties(images)
    assert len(found) == 300 and np.isfinite(found.to_numpy()).all()

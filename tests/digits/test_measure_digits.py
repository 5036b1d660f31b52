from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.digits.measure import FEATURES, measure_digit, measure_digits
from glance_pipeline.images.idx import read_idx

SHARED = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def stroke(
    length: float = 14, thickness: float = 4, slope: float = 0.0, level: int = 200, size: int = 32
) -> np.ndarray:
    """Draw a straight stroke with round ends; ``slope`` is columns to the right per row up."""
    rows, columns = np.mgrid[: size * 8, : size * 8] / 8 + 1 / 16 - size / 2
    along = np.array([-1, slope]) / np.hypot(1, slope)
    place = np.clip(rows * along[0] + columns * along[1], -length / 2, length / 2)
    distance = np.hypot(rows - place * along[0], columns - place * along[1])
    inside = (distance <= thickness / 2).reshape(size, 8, size, 8).mean(axis=(1, 3))
    return np.round(inside * level).astype(np.uint8)


def measured(image: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, measure_digit(image), strict=True))


@pytest.mark.parametrize("thickness", [2, 3, 4, 5])
def test_an_upright_stroke(thickness):
    found = measured(stroke(length=14, thickness=thickness))
    assert found["area"] == pytest.approx(14 * thickness + np.pi * thickness**2 / 4, rel=0.03)
    assert found["thickness"] == pytest.approx(thickness, abs=0.1)
    # The axis branches into the corners that the pixels make of the round ends.
    assert 14 <= found["length"] <= 14 + 3
    shorter = measured(stroke(length=8, thickness=thickness))
    # Between two middle columns the axis zigzags, so a step is between 1 and √2 long.
    assert 6 <= found["length"] - shorter["length"] <= 6 * np.sqrt(2)
    assert found["slant"] == pytest.approx(0, abs=1e-6)
    assert found["intensity"] == 200
    # The box leaves out a hundredth of the mass on each side; up-scaling has blurred the edges.
    assert found["height"] == pytest.approx(14 + thickness, abs=1.0)
    assert thickness < found["width"] < thickness + 2


@pytest.mark.parametrize("slope", [-0.5, 0.3, 0.6])
def test_a_leaning_stroke(slope):
    found = measured(stroke(length=18, thickness=2, slope=slope))
    assert found["slant"] == pytest.approx(np.arctan(slope), abs=0.02)
    assert found["thickness"] == pytest.approx(2, abs=0.15)
    # Steps along rows, columns and diagonals make at most 8 % more of a line, ends apart.
    assert 18 <= found["length"] <= 18 * 1.08 + 3
    assert found["width"] < 2 + 2.5


def test_a_disc():
    found = measured(stroke(length=0, thickness=12))
    assert found["area"] == pytest.approx(np.pi * 36, rel=0.02)
    assert found["thickness"] == pytest.approx(12, abs=0.5)
    assert found["length"] < 2


@pytest.mark.parametrize("level", [64, 130, 255])
def test_intensity_alone_changes_with_the_grey_level(level):
    bright, found = measured(stroke(level=255)), measured(stroke(level=level))
    assert found.pop("intensity") == level
    for name, value in found.items():
        assert value == pytest.approx(bright[name], abs=0.3), name


def test_an_empty_image_has_no_thickness():
    for empty in (np.zeros((32, 32), np.uint8), np.full((32, 32), 90, np.uint8)):
        found = measured(empty)
        assert [found[name] for name in ("area", "length", "intensity")] == [0, 0, 0]
        assert np.isnan([found[name] for name in ("thickness", "slant", "width", "height")]).all()


def test_a_full_row_and_a_single_pixel_do_not_crash():
    row, pixel = np.zeros((2, 32, 32), np.uint8)
    row[5], pixel[7, 7] = 255, 255
    assert np.isfinite(measure_digit(row)).all()
    assert np.isfinite(measure_digit(pixel)).all()


def test_any_number_of_workers_gives_the_same_table():
    images = np.stack([stroke(thickness=t, slope=t / 20) for t in np.linspace(1.5, 5, 70)])
    one = measure_digits(images, n_jobs=1, progress=False)
    two = measure_digits(images[:, None], n_jobs=2, progress=False)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert list(one.columns) == list(FEATURES)
    assert one.index.equals(pd.RangeIndex(70))


def test_no_images_give_an_empty_table():
    table = measure_digits(np.zeros((0, 32, 32), np.uint8), progress=False)
    assert table.shape == (0, 7)


def test_wrong_images_are_refused():
    with pytest.raises(ValueError, match=r"found float64, \(2, 8, 8\)"):
        measure_digits(np.zeros((2, 8, 8)), progress=False)
    with pytest.raises(ValueError, match=r"\(2, 3, 8, 8\)"):
        measure_digits(np.zeros((2, 3, 8, 8), np.uint8), progress=False)


@pytest.mark.skipif(
    not (SHARED / "t10k-morphometrics.csv").is_file(),
    reason=f"the reference measures of MNIST are not in {SHARED}",
)
def test_agrees_with_the_reference_measures():
    images = read_idx(SHARED / "t10k-images-idx3-ubyte.gz", 3)[:200]
    wanted = pd.read_csv(SHARED / "t10k-morphometrics.csv", index_col="index").loc[:199]
    found = measure_digits(images, n_jobs=1, progress=False)
    for name in wanted:
        correlation = np.corrcoef(found[name], wanted[name])[0, 1]
        assert correlation >= (0.97 if name in ("width", "height") else 0.99), name
        bias = (found[name] - wanted[name]).mean()
        assert abs(bias) <= 0.1 * wanted[name].std(), name

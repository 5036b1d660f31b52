"""Morphometry of a grey digit: area, length, thickness, slant, width, height and intensity.

The first six follow Castro et al., "Morpho-MNIST: Quantitative assessment and diagnostics for
representation learning", JMLR 20 (2019); the seventh follows Pawlowski et al., "Deep structural
causal models for tractable counterfactual inference", NeurIPS 2020. Written from the definitions.
"""

import numpy as np
import pandas as pd

from glance_pipeline.digits.medial_axis import medial_axis
from glance_pipeline.digits.parallel import for_each_digit
from glance_pipeline.digits.upscaling import SCALE, upscale

UNITS = {
    "area": "px²",
    "length": "px",
    "thickness": "px",
    "slant": "rad",
    "width": "px",
    "height": "px",
    "intensity": "grey level",
}
FEATURES = tuple(UNITS)

_OUTSIDE_BOUNDS = 0.02  # share of the mass that the bounding parallelogram leaves out, both sides
_LEAST_CONTRAST = 8  # grey levels; an image with less has nothing drawn on it


def moments(image: np.ndarray) -> tuple[float, float, float]:
    """Return centroid row, centroid column (pixels) and slant (rad) of a grey image with mass.

    The slant is that of the shear which would bring the mixed central moment to zero:
    arctan(−μ₁₁ / μ₀₂), positive where the digit leans to the right. Where all mass lies in one
    row, there is no slant to speak of, and it is 0.

    Args:
        image: (H, W), non-negative, not all zero.
    """
    by_row, by_column = image.sum(axis=1), image.sum(axis=0)
    rows, columns = np.arange(len(by_row)), np.arange(len(by_column))
    mass = by_row.sum()
    row, column = by_row @ rows / mass, by_column @ columns / mass
    spread = by_row @ (rows - row) ** 2
    mixed = (rows - row) @ image @ (columns - column)
    slant = np.arctan(-mixed / spread) if spread > 0 else 0.0
    return float(row), float(column), float(slant)


def intensity(image: np.ndarray) -> float:
    """Return the median grey level of the foreground: pixels above the middle of the range."""
    middle = (float(image.min()) + float(image.max())) / 2
    return float(np.median(image[image >= middle]))


def _extent(positions: np.ndarray, mass: np.ndarray) -> float:
    """Return the length that holds all but the outer share of ``mass`` along ``positions``."""
    order = np.argsort(positions, kind="stable")
    share = np.cumsum(mass[order])
    share /= share[-1]
    low, high = np.interp([_OUTSIDE_BOUNDS / 2, 1 - _OUTSIDE_BOUNDS / 2], share, positions[order])
    return float(high - low)


def _line_length(line: np.ndarray) -> float:
    """Return the length, in pixels, of one-pixel lines: 1 a straight step, √2 a diagonal one."""
    straight = (line[1:] & line[:-1]).sum() + (line[:, 1:] & line[:, :-1]).sum()
    diagonal = (line[1:, 1:] & line[:-1, :-1]).sum() + (line[1:, :-1] & line[:-1, 1:]).sum()
    return float(straight + np.sqrt(2) * diagonal)


def thickness(image: np.ndarray) -> float:
    """Return the stroke thickness alone, px: twice the mean distance of the axis to the outline."""
    enlarged = upscale(image)
    axis, distance = medial_axis(enlarged >= (enlarged.min() + enlarged.max()) / 2)
    return float(2 * distance[axis].mean() / SCALE)


def measure_digit(image: np.ndarray) -> np.ndarray:
    """Measure one digit.

    Args:
        image: uint8, (H, W), bright on dark, 0–255.

    Returns:
        float64, (7,), in the order and units of ``UNITS``. Where nothing is drawn (less than 8
        grey levels between the darkest and the brightest pixel) area, length and intensity are
        0 and the rest is NaN, for a thickness or slant of nothing has no value.
    """
    if float(image.max()) - float(image.min()) < _LEAST_CONTRAST:
        return np.array([0.0, 0.0, np.nan, np.nan, np.nan, np.nan, 0.0])
    enlarged = upscale(image)
    foreground = enlarged >= (enlarged.min() + enlarged.max()) / 2
    axis, distance = medial_axis(foreground)
    row, _, slant = moments(enlarged)
    rows, columns = np.nonzero(enlarged)
    mass = enlarged[rows, columns]
    return np.array(
        [
            foreground.sum() / SCALE**2,
            _line_length(axis) / SCALE,
            2 * distance[axis].mean() / SCALE,
            slant,
            _extent(columns + np.tan(slant) * (rows - row), mass) / SCALE,
            _extent(np.arange(len(enlarged)), enlarged.sum(axis=1)) / SCALE,
            intensity(image),
        ]
    )


def measure_digits(
    images: np.ndarray, n_jobs: int | None = None, progress: bool = True
) -> pd.DataFrame:
    """Measure many digits in parallel.

    Args:
        images: uint8, (N, H, W) or (N, 1, H, W), bright on dark, 0–255.
        n_jobs: processes; None takes every available core. The result does not depend on it.
        progress: whether to show a progress bar.

    Returns:
        Frame of N rows, index 0..N−1, float64 columns ``FEATURES`` in the units of ``UNITS``;
        see ``measure_digit`` for images on which nothing is drawn.

    Raises:
        ValueError: if the images have another shape or dtype.
    """
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(
            "measure_digits wants grey images, uint8, (N, H, W) or (N, 1, H, W); "
            f"found {images.dtype}, {images.shape}"
        )
    if len(images) == 0:
        return pd.DataFrame(columns=list(FEATURES), dtype=float)
    values = for_each_digit(
        measure_digit, images, workers=n_jobs, progress=progress, description="measuring"
    )
    return pd.DataFrame(values, columns=list(FEATURES))

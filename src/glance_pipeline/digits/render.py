"""Redrawing a digit with any thickness, slant and intensity.

The strokes of the source digit become a set of points, its skeleton. A redrawn digit is the set
of all places within one radius of those points, after a shear: thickness is set by the radius,
slant by the shear, intensity by a factor, each on its own, and the drawing changes smoothly
with all three. Morpho-MNIST thins and thickens the outline instead, which breaks thin strokes.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.morphology import skeletonize

from glance_pipeline.digits.measure import intensity as measured_intensity
from glance_pipeline.digits.measure import moments
from glance_pipeline.digits.measure import thickness as measured_thickness
from glance_pipeline.digits.parallel import for_each_digit
from glance_pipeline.digits.upscaling import SCALE, upscale

_MARGIN = 1.0  # px left free around the digit
_CORRECTION = 0.1  # px of radius at most: a loop that fills changes the measure by a jump
_LEAST_RADIUS = 0.3  # px; a thinner line would leave gaps between the points of the skeleton
_SPECK = 8  # points; a part of the skeleton with less is dirt, which would be drawn as a blob
_BLUR = 0.15  # px by which a drawn stroke measures thicker than twice its radius, on average


def stroke_points(digit: np.ndarray) -> np.ndarray:
    """Return the skeleton of a digit as points.

    Args:
        digit: uint8, (H, W), bright on dark.

    Returns:
        float64, (P, 2), rows and columns in pixels, a point each quarter of a pixel.

    Raises:
        ValueError: if nothing is drawn on the image.
    """
    enlarged = upscale(digit)
    if enlarged.max() <= enlarged.min():
        raise ValueError("cannot redraw a digit: nothing is drawn on the source image")
    skeleton = skeletonize(enlarged >= (enlarged.min() + enlarged.max()) / 2)
    parts, count = ndimage.label(skeleton, np.ones((3, 3)))
    points_of_part = np.bincount(parts.ravel(), minlength=count + 1)
    # The longest part stays in any case: the whole digit may be a dot.
    kept = points_of_part >= min(_SPECK, points_of_part[1:].max())
    kept[0] = False
    return np.argwhere(kept[parts]) / SCALE


def _slope_of(points: np.ndarray) -> float:
    """Return the tangent of the slant of ``points``, by their moments; 0 for a level line."""
    rows, columns = (points - points.mean(axis=0)).T
    spread = float(rows @ rows)
    return -float(rows @ columns) / spread if spread > 0 else 0.0


def _placed(points: np.ndarray, shear: float, radius: float, size: int) -> np.ndarray:
    """Shear ``points``, shrink them where they would not fit, and centre their bounding box."""
    sheared = np.stack([points[:, 0], points[:, 1] - shear * points[:, 0]], axis=1)
    low, high = sheared.min(axis=0), sheared.max(axis=0)
    room = size - 2 * (radius + _MARGIN)
    shrink = min(1.0, room / max(float((high - low).max()), 1e-9))
    return (sheared - (low + high) / 2) * shrink + size / 2


def _covered(points: np.ndarray, radius: float, size: int) -> np.ndarray:
    """Return the share of each pixel, 0–1, that lies within ``radius`` of one of ``points``.

    Distances are taken on the enlarged grid, each from the exact place of the nearest point,
    so that the drawing moves by less than one enlarged pixel when the points do.
    """
    fine = size * SCALE
    cells = np.clip((points * SCALE).astype(int), 0, fine - 1)
    exact = np.zeros((2, fine, fine))
    exact[:, cells[:, 0], cells[:, 1]] = points.T * SCALE
    empty = np.ones((fine, fine), dtype=bool)
    empty[cells[:, 0], cells[:, 1]] = False
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    centres = np.arange(fine) + 0.5
    row_gap = exact[0][nearest[0], nearest[1]] - centres[:, None]
    column_gap = exact[1][nearest[0], nearest[1]] - centres[None, :]
    distance = np.hypot(row_gap, column_gap)
    inside = np.clip(radius * SCALE - distance + 0.5, 0.0, 1.0)
    return inside.reshape(size, SCALE, size, SCALE).mean(axis=(1, 3))


def _with_intensity(coverage: np.ndarray, intensity: float) -> np.ndarray:
    """Scale ``coverage`` so that the median grey level of its foreground is ``intensity``."""
    factor = intensity / measured_intensity(coverage)
    image = np.clip(coverage * factor, 0, 255)
    if factor * coverage.max() > 255:
        # Clipping lowers the brightest pixel and so lets darker ones into the foreground.
        image = np.clip(coverage * factor * intensity / measured_intensity(image), 0, 255)
    return np.round(image).astype(np.uint8)


def render_digit(
    digit: np.ndarray, thickness: float, slant: float, intensity: float, size: int = 32
) -> np.ndarray:
    """Redraw a digit with a thickness, slant and intensity, as ``measure_digit`` measures them.

    Args:
        digit: uint8, (H, W), bright on dark; the digit to redraw.
        thickness: px.
        slant: rad, positive to the right.
        intensity: median grey level of the foreground, 0–255.
        size: height and width of the drawing, px. A digit that would not fit is shrunk.

    Returns:
        uint8, (size, size).

    Raises:
        ValueError: if nothing is drawn on the source image.
    """
    points = stroke_points(digit)
    radius = (thickness - _BLUR) / 2
    shear = np.tan(slant) - _slope_of(points)
    coverage = _covered(_placed(points, shear, radius, size), radius, size)
    missing = (thickness - measured_thickness(coverage)) / 2
    radius = max(radius + np.clip(missing, -_CORRECTION, _CORRECTION), _LEAST_RADIUS)
    for _ in range(2):
        shear += np.tan(slant) - np.tan(moments(coverage)[2])
        coverage = _covered(_placed(points, shear, radius, size), radius, size)
    return _with_intensity(coverage, intensity)


def render_digits(
    digits: np.ndarray,
    features: pd.DataFrame,
    size: int = 32,
    n_jobs: int | None = None,
    progress: bool = True,
) -> np.ndarray:
    """Redraw many digits in parallel.

    Args:
        digits: uint8, (N, H, W).
        features: N rows with the columns thickness (px), slant (rad) and intensity (0–255).
        size: height and width of the drawings, px.
        n_jobs: processes; None takes every available core. The result does not depend on it.
        progress: whether to show a progress bar.

    Returns:
        uint8, (N, size, size).

    Raises:
        ValueError: if the numbers of digits and features differ, or a digit is blank.
    """
    if len(digits) != len(features):
        raise ValueError(f"found {len(features)} rows of features, wanted {len(digits)}")
    columns = [features[name].to_numpy() for name in ("thickness", "slant", "intensity")]
    return for_each_digit(
        partial(render_digit, size=size),
        digits,
        *columns,
        workers=n_jobs,
        progress=progress,
        description="rendering",
    )

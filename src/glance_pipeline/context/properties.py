"""Measured properties of any image: what a picture can be told apart by, whatever it shows.

A context feature that comes from a table is known of given images alone; a property that a function
measures can be asked of generated ones too. These are asked for what an intervention moved beside
the concept that it names. They are simple on purpose: each is a line or two of arithmetic on grey
levels, defined for every image.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import ndimage

from glance_pipeline.images.form import AT_ONCE

Columns = dict[str, np.ndarray]

_LITTLE = 1e-6


def measure_properties(images: np.ndarray) -> pd.DataFrame:
    """Measure the properties of images.

    Grey levels are 0 to 1, places −1 (left, top) to 1 (right, bottom). *Mass* is the squared
    distance of a pixel from the median of its image, so that a dark object on a bright ground
    counts as a bright one on a dark ground, and a haze over many pixels for little; the *figure* is
    what is further from the median than half of the most.

    Args:
        images: uint8 (N, C, H, W), C of 1 or 3.

    Returns:
        float64, one row per image and one column per property: brightness and contrast; saturation,
        redness and blueness of colour images; sharpness, edges and their direction; centre, spread,
        elongation and skewness of the mass; symmetry; brightness at corners and borders, and where
        along a border it is; area, holes and parts of the figure.
    """
    parts = []
    for start in range(0, len(images), AT_ONCE):
        batch = images[start : start + AT_ONCE].astype(np.float64) / 255
        grey = batch.mean(1)
        columns: Columns = {}
        for some in (_light(batch, grey), _edges(grey), _mass(grey), _borders(grey)):
            columns |= some
        parts.append(pd.DataFrame(columns | _figure(grey)))
    return pd.concat(parts, ignore_index=True)


def _light(batch: np.ndarray, grey: np.ndarray) -> Columns:
    columns = {"brightness": grey.mean((1, 2)), "contrast": grey.std((1, 2))}
    if batch.shape[1] == 3:
        red, green, blue = (batch[:, k].mean((1, 2)) for k in range(3))
        columns["saturation"] = (batch.max(1) - batch.min(1)).mean((1, 2))
        columns["redness"] = red - (green + blue) / 2
        columns["blueness"] = blue - (red + green) / 2
    return columns


def _edges(grey: np.ndarray) -> Columns:
    """Return how many edges there are, how sharp they are, and how they run."""
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    energy = (strength**2).sum((1, 2)) + _LITTLE
    return {
        "edges": strength.mean((1, 2)),
        "sharpness": (strength**2).sum((1, 2)) / (strength.sum((1, 2)) + _LITTLE),
        "upright edges": (right**2 - down**2).sum((1, 2)) / energy,
        "slanted edges": 2 * (right * down).sum((1, 2)) / energy,
    }


def _mass(grey: np.ndarray) -> Columns:
    """Return where the mass is, how it is spread, and how symmetric it is."""
    mass = (grey - np.median(grey, axis=(1, 2), keepdims=True)) ** 2
    columns: Columns = {}
    variances = []
    for way, profile in (("across", mass.sum(1)), ("down", mass.sum(2))):
        places = np.linspace(-1, 1, profile.shape[1])
        weight = profile / (profile.sum(1, keepdims=True) + _LITTLE)
        centre = weight @ places
        away = places - centre[:, None]
        variance = (weight * away**2).sum(1) + _LITTLE
        columns[f"centre {way}"] = centre
        columns[f"skewness {way}"] = (weight * away**3).sum(1) / variance**1.5
        variances.append(variance)
    columns["spread"] = np.sqrt(variances[0] + variances[1])
    columns["elongation"] = np.log(variances[0] / variances[1]) / 2
    total = (mass**2).sum((1, 2)) + _LITTLE
    columns["symmetry across"] = (mass * mass[:, :, ::-1]).sum((1, 2)) / total
    columns["symmetry down"] = (mass * mass[:, ::-1]).sum((1, 2)) / total
    return columns


def _borders(grey: np.ndarray) -> Columns:
    """Return the brightness of corners and borders, and where along each border it is."""
    side = max(2, grey.shape[1] // 5)
    band = max(2, grey.shape[1] // 16)
    columns: Columns = {
        f"{down} {across} corner": grey[:, rows, columns_].mean((1, 2))
        for down, rows in (("upper", slice(0, side)), ("lower", slice(-side, None)))
        for across, columns_ in (("left", slice(0, side)), ("right", slice(-side, None)))
    }
    for name, strip in _strips(grey, band):
        light = strip - strip.min(1, keepdims=True)
        places = np.linspace(-1, 1, strip.shape[1])
        columns[f"{name} border"] = strip.mean(1)
        columns[f"place at the {name} border"] = (light @ places) / (light.sum(1) + 0.05)
    return columns


def _strips(grey: np.ndarray, band: int) -> Iterator[tuple[str, np.ndarray]]:
    yield "upper", grey[:, :band].mean(1)
    yield "lower", grey[:, -band:].mean(1)
    yield "left", grey[:, :, :band].mean(2)
    yield "right", grey[:, :, -band:].mean(2)


def _figure(grey: np.ndarray) -> Columns:
    """Return area, holes and number of parts of what stands out most."""
    away = np.abs(grey - np.median(grey, axis=(1, 2), keepdims=True))
    figure = away > away.max((1, 2), keepdims=True) / 2
    return {
        "figure area": figure.mean((1, 2)),
        "hole area": np.array([(ndimage.binary_fill_holes(f) & ~f).mean() for f in figure]),
        "parts": np.array([float(ndimage.label(one)[1]) for one in figure]),
    }

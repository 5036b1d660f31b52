"""A saliency map laid over the image it explains, for eyes."""

import numpy as np

COLOURS = "RdBu_r"
"""A diverging colour map of matplotlib: red for, blue against."""

_DIMMED = 0.6
"""Contrast that the picture keeps, around mid-grey, so that its black and white take colour."""


def overlay(picture: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Return the picture in grey with its map in colour: red speaks for the class, blue against.

    The colour is that of the map's value in its largest magnitude, and as opaque as that value is
    large; a map of zeros leaves the grey picture.

    Args:
        picture: uint8, (C, H, W).
        saliency: float, (H, W).

    Returns:
        uint8, (3, H, W).
    """
    from matplotlib import colormaps  # slow to import

    grey = picture.astype(np.float32).mean(0) / 255
    grey = 0.5 + (grey - 0.5) * _DIMMED
    largest = float(np.abs(saliency).max()) or 1.0
    shown = saliency / largest
    colour = colormaps[COLOURS]((shown + 1) / 2)[..., :3]
    opaque = np.abs(shown)[..., None]
    mixed = grey[..., None] * (1 - opaque) + colour * opaque
    return (mixed * 255).round().astype(np.uint8).transpose(2, 0, 1)

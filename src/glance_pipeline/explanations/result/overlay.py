"""A saliency map laid over the image it explains, for eyes."""

import numpy as np

FULL_QUANTILE = 0.99
"""Part of a map's pixels that are not in full colour; one odd pixel sets no scale."""


def overlay(picture: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Return the picture in pale grey with its map in colour.

    Blue speaks for the class and orange against it, as in the graph and the report; a pixel is the
    more opaque the larger its magnitude, fully from ``FULL_QUANTILE`` of all magnitudes upwards. A
    map of zeros leaves the grey picture.

    Args:
        picture: uint8, (C, H, W); channels are averaged.
        saliency: float, (H, W), signed.

    Returns:
        uint8, (3, H, W).
    """
    from matplotlib.colors import to_rgb  # slow to import, as are the figure's colours

    from glance_pipeline.graph.drawing.figure_edges import NEGATIVE, POSITIVE

    magnitude = np.abs(saliency)
    full = np.quantile(magnitude, FULL_QUANTILE) or magnitude.max() or 1.0
    opacity = np.clip(magnitude / full, 0, 1)[..., None]
    colour = np.where((saliency >= 0)[..., None], to_rgb(POSITIVE), to_rgb(NEGATIVE))
    grey = 0.5 + 0.5 * picture.astype(float).mean(0)[..., None] / 255
    blended = (1 - opacity) * grey + opacity * colour
    return np.round(255 * blended).astype(np.uint8).transpose(2, 0, 1)

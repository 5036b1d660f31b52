"""Pictures as PNG data URIs, so that the page needs nothing beside itself."""

import base64
import io

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from glance_pipeline.causal.figure_edges import NEGATIVE, POSITIVE
from glance_pipeline.explanations.folder import as_picture

DIFFERENCE_RANGE = 128
"""Grey levels at which the colours of a difference map are full."""

SALIENCY_QUANTILE = 0.99
"""Part of a saliency map's pixels that are not in full colour; one odd pixel sets no scale."""


def picture_uri(array: np.ndarray) -> str:
    """Return uint8 (C, H, W), C = 1 or 3, as a data URI."""
    return _uri(as_picture(array))


def difference_uri(before: np.ndarray, after: np.ndarray) -> str:
    """Return a map of ``after − before``, red where brighter and blue where darker.

    Args:
        before: uint8, (C, H, W).
        after: the same; channels are averaged.
    """
    difference = (after.astype(float) - before.astype(float)).mean(0)
    shade = np.clip(difference / DIFFERENCE_RANGE, -1, 1) / 2 + 0.5
    coloured = colormaps["RdBu_r"](shade, bytes=True)[..., :3]
    return _uri(Image.fromarray(np.ascontiguousarray(coloured)))


def saliency_uri(picture: np.ndarray, values: np.ndarray) -> str:
    """Return a picture in pale grey with a saliency map over it.

    Blue speaks for the class and orange against it, as everywhere on the page; a pixel is the more
    opaque the larger its magnitude, fully from ``SALIENCY_QUANTILE`` of all magnitudes upwards.

    Args:
        picture: uint8, (C, H, W); channels are averaged.
        values: float, (H, W), signed.
    """
    magnitude = np.abs(values)
    full = np.quantile(magnitude, SALIENCY_QUANTILE) or magnitude.max() or 1.0
    opacity = np.clip(magnitude / full, 0, 1)[..., None]
    colour = np.where((values >= 0)[..., None], to_rgb(POSITIVE), to_rgb(NEGATIVE))
    grey = 0.5 + 0.5 * picture.astype(float).mean(0)[..., None] / 255
    blended = (1 - opacity) * grey + opacity * colour
    return _uri(Image.fromarray(np.round(255 * blended).astype(np.uint8)))


def figure_uri(figure: Figure) -> str:
    """Return a matplotlib figure as a data URI, an SVG without date or random names."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "report"}):
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", facecolor="white", metadata={"Date": None}
        )
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def _uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

"""Pictures as PNG data URIs, so that the page needs nothing beside itself."""

import base64
import io

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure
from PIL import Image

from glance_pipeline.explanations.folder import as_picture

DIFFERENCE_RANGE = 128
"""Grey levels at which the colours of a difference map are full."""


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

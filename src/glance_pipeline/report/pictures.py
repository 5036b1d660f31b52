"""Pictures as data URIs, so that the page needs nothing beside itself; small enough for a page."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure
from PIL import Image

from glance_pipeline.explanations.result.pictures import as_picture
from glance_pipeline.support.number_format import format_fixed

DIFFERENCE_RANGE = 128
"""Grey levels at which the colours of a difference map are full."""

_WIDEST = 16383
"""Pixels that a WebP image may be wide."""


@dataclass(frozen=True)
class Compression:
    """How pictures are compressed: quality of lossy WebP, 0–100; None loses nothing.

    Attributes:
        single: of the image, its redrawn copy and counterfactuals.
        strips: pictures of effect strips, and maps of differences and saliency.
    """

    single: int | None = None
    strips: int | None = None


COMPRESSIONS = (
    Compression(),
    *(Compression(strips=quality) for quality in (95, 90, 85, 80, 75)),
    *(Compression(90, quality) for quality in (80, 75, 70, 60, 50)),
    Compression(85, 45),
    Compression(80, 40),
)
"""From the best to the smallest; a page takes the first that fits."""


class PageFullError(Exception):
    """The pictures so far take more room than there is."""


class Album:
    """Encodes the pictures of one page and keeps account of them.

    Args:
        compression: compression of the pictures.
        room: most characters that all of them may take; None for any number.
    """

    def __init__(self, compression: Compression | None = None, room: int | None = None) -> None:
        self.compression = compression or Compression()
        self.room = room
        self.size = 0
        self._largest, self._sum, self._values = 0, 0, 0

    def single(self, array: np.ndarray) -> str:
        """Return one picture, uint8 (C, H, W), C = 1 or 3, as a data URI.

        Raises:
            PageFullError: if there is no room for it.
        """
        return self._add(as_picture(array), self.compression.single)

    def strip(self, array: np.ndarray) -> str:
        """Return a row of pictures, or a map, uint8 (C, H, W), likewise."""
        return self._add(as_picture(array), self.compression.strips)

    @property
    def loss(self) -> str:
        """What the pictures lost, in words; empty if nothing."""
        if not self._values:
            return ""
        mean = format_fixed(self._sum / self._values, 1)
        what = "All pictures are" if self.compression.single else "Rows of pictures and maps are"
        return (
            f"{what} compressed on this page: {mean} of 255 grey levels off on average, "
            f"{self._largest} at most. What the classifier was asked about is saved beside it "
            "without loss."
        )

    def _add(self, picture: Image.Image, quality: int | None) -> str:
        uri = _uri(picture, quality)
        self.size += len(uri)
        if self.room is not None and self.size > self.room:
            raise PageFullError
        if quality is not None:
            self._account(picture, uri)
        return uri

    def _account(self, picture: Image.Image, uri: str) -> None:
        content = base64.b64decode(uri.partition(",")[2])
        with Image.open(io.BytesIO(content)) as file:
            shown = np.asarray(file.convert(picture.mode), dtype=int)
        error = np.abs(shown - np.asarray(picture, dtype=int))
        self._largest = max(self._largest, int(error.max()))
        self._sum += int(error.sum())
        self._values += error.size


class EmptyAlbum(Album):
    """Leaves every picture out, to see what the rest of a page takes."""

    def _add(self, picture: Image.Image, quality: int | None) -> str:
        return ""


def difference_map(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return a map of ``after − before``, red where brighter and blue where darker.

    Args:
        before: uint8, (C, H, W).
        after: the same; channels are averaged.

    Returns:
        uint8, (3, H, W).
    """
    difference = (after.astype(float) - before.astype(float)).mean(0)
    shade = np.clip(difference / DIFFERENCE_RANGE, -1, 1) / 2 + 0.5
    coloured = colormaps["RdBu_r"](shade, bytes=True)[..., :3]
    return np.ascontiguousarray(coloured.transpose(2, 0, 1))


def figure_uri(figure: Figure) -> str:
    """Return a matplotlib figure as a data URI, an SVG without date or random names."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "report"}):
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", facecolor="white", metadata={"Date": None}
        )
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def _uri(picture: Image.Image, quality: int | None) -> str:
    buffer = io.BytesIO()
    if picture.width > _WIDEST:
        kind = "png"
        picture.save(buffer, format=kind, optimize=True)
    elif quality is None:
        kind = "webp"
        picture.save(buffer, format=kind, lossless=True, quality=75, method=4)
    else:
        kind = "webp"
        picture.save(buffer, format=kind, quality=quality, method=4)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()

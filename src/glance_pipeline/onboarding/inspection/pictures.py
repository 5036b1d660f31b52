"""The images as they are: how large, in colour or not, and a sample of them as they will be."""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glance_pipeline.config.ingest import Crop
from glance_pipeline.images import Form, decode
from glance_pipeline.images.sources.image_source import ImageSource
from glance_pipeline.images.sources.resized import ResizedImages
from glance_pipeline.images.twins import Fingerprints
from glance_pipeline.ingest.found import chosen_rows
from glance_pipeline.support.compute import available_cores
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.seeding import numpy_generator

SAMPLE = 256  # images that are read
_LOOKED_AT = 64  # of them, for their size and colour
SMALLEST, LARGEST = 8, 64
"""Sizes that are proposed, px: above, a training takes hours without a GPU."""


@dataclass(frozen=True)
class Looks:
    """How the images of a sample come.

    Attributes:
        sizes: (width, height) of each that could be read.
        in_colour: whether any is.
    """

    sizes: tuple[tuple[int, int], ...]
    in_colour: bool

    @property
    def square(self) -> bool:
        """Whether height and width are the same, to a pixel."""
        return all(abs(width - height) <= 1 for width, height in self.sizes)

    @property
    def side(self) -> int:
        """The median of their shorter sides, px."""
        return int(np.median([min(size) for size in self.sizes]))

    def __str__(self) -> str:
        """Say it in words."""
        low, high = min(self.sizes), max(self.sizes)
        size = "{}×{} px".format(*low)
        if low != high:
            size = "from {}×{} to {}×{} px".format(*low, *high)
        return f"{size}, {'in colour' if self.in_colour else 'grey'}"


def sample_of(source: ImageSource, number: int | None, seed: int, count: int = SAMPLE) -> list[int]:
    """Return some of the rows that a run takes, at random, rising where the source wants them so.

    Args:
        source: source of the images.
        number: number of images that the run takes; None takes all.
        seed: seed of the run.
        count: largest number of rows.
    """
    rows = chosen_rows(source, np.arange(len(source)), number, seed)
    rows = numpy_generator(seed, "init", "sample").permutation(rows)[:count]
    return [int(row) for row in (rows if source.in_any_order else np.sort(rows))]


def look_at(source: ImageSource, rows: Sequence[int]) -> Looks:
    """Decode some images for their size and colour.

    Raises:
        UserError: if none of them can be read; it names the first and the reason.
    """
    sizes, in_colour, reasons = [], False, []
    chosen = list(rows[:_LOOKED_AT])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        for row, reader in zip(chosen, source.read(chosen), strict=True):
            try:
                picture, _ = decode(reader())
            except Exception as error:  # a broken file may raise anything in Pillow
                reasons.append(f"{source.names[row]} ({error})")
                continue
            sizes.append(picture.size)
            in_colour = in_colour or picture.mode == "RGB"
    if not sizes:
        raise UserError(
            f"--images: {source.place}: none of {len(chosen)} images can be read, the first are "
            f"{'; '.join(reasons[:3])}"
        )
    return Looks(tuple(sizes), in_colour)


def size_for(side: int, network: int | None) -> int:
    """Return the size to propose: a power of two that loses little of what the network sees.

    Args:
        side: side of the images, px.
        network: height and width that the network takes, px; None if it takes any.
    """
    power = round(math.log2(side)) if network is None else math.ceil(math.log2(network))
    return max(SMALLEST, min(LARGEST, 2**power))


@dataclass(frozen=True)
class SampledPictures:
    """Some of the images as they will be.

    Attributes:
        images: uint8 (n, C, H, W).
        rows: rows of the source, int64 (n,).
        seconds: to read one.
        unreadable: sentences of those that could not be read.
        fingerprints: what the images are compared by.
    """

    images: np.ndarray
    rows: np.ndarray
    seconds: float
    unreadable: tuple[str, ...]
    fingerprints: Fingerprints


def read_sample(
    source: ImageSource, rows: Sequence[int], form: Form, most_corrupt: float
) -> SampledPictures:
    """Read a sample, and judge it as all images will be judged where it is all of them.

    Raises:
        UserError: if more cannot be read than may be, or none can.
    """
    allowed = most_corrupt if len(rows) == len(source) else 1.0
    resized = ResizedImages(source, rows, form, allowed, available_cores())
    began = time.perf_counter()
    images = np.concatenate(list(resized))
    seconds = (time.perf_counter() - began) / len(rows)
    frame = resized.unreadable
    reasons = tuple(f"{row.file} ({row.reason})" for row in frame.itertuples())
    return SampledPictures(images, resized.read, seconds, reasons, resized.fingerprints)


def parse_crop(text: str) -> Crop | None:
    """Return the crop that a text says."""
    word = text.strip().lower()
    if word in ("none", ""):
        return None
    if word == "square":
        return "square"
    if not word.isdecimal() or int(word) < 1:
        raise UserError(f"found {text!r}, wanted a number of px, square, or none")
    return int(word)


def parse_size(text: str) -> int:
    """Return a size that the generator can draw."""
    size = int(text) if text.strip().isdecimal() else 0
    if size < SMALLEST or size & (size - 1):
        raise UserError(f"found {text!r} px, wanted 8, 16, 32, 64, … (the generator's sizes)")
    return size

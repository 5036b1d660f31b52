"""How large the networks are for images of a size."""

import math
from collections.abc import Sequence

_SURROGATE = {4: 96, 8: 64, 16: 48, 32: 32, 64: 16, 128: 16, 256: 16}
_READER = {4: 64, 8: 48, 16: 32, 32: 24, 64: 16, 128: 16, 256: 16}
"""Feature channels by height: those of conf/celeba, continued to other sizes."""

_ROOM = 12
"""Dimensions of the residual code that context features leave at least."""


def check_widths(resolution: int, widths: Sequence[int]) -> None:
    """Raise ``ValueError`` unless ``widths`` has an entry for 4, 8, …, ``resolution``."""
    steps = math.log2(resolution)
    if resolution < 8 or not steps.is_integer():
        raise ValueError(f"resolution: {resolution} is no power of two of at least 8")
    if len(widths) != int(steps) - 1:
        raise ValueError(
            f"widths: {len(widths)} values {widths}, but resolution {resolution} wants "
            f"{int(steps) - 1}: one for each of 4, 8, …, {resolution}"
        )


def widths_for(size: int) -> tuple[list[int], list[int]]:
    """Return the widths of surrogate and attribute reader for images of ``size`` px.

    At 32 px they are those of conf/base, at 64 px those of conf/celeba. There is one for each of
    4, 8, …, ``size`` px.
    """
    sizes = [2**power for power in range(2, size.bit_length())]
    surrogate = [_SURROGATE.get(height, 16) for height in sizes]
    reader = [_READER.get(height, 16) for height in sizes]
    if size == 32:
        surrogate, reader = [96, 64, 32, 16], [64, 48, 32, 16]
    return surrogate, reader


def residual_for(residual: int, taken: int) -> int:
    """Return the dimensions of a residual code that leaves room for the context features.

    Args:
        residual: dimensions that are wanted anyway.
        taken: dimensions that the context features take.
    """
    return max(residual, taken + _ROOM)

"""Medial axis of a binary shape, by thinning in the order of the distance to the background."""

from functools import lru_cache

import numpy as np
from scipy import ndimage

_ALL_NEIGHBOURS = np.ones((3, 3), dtype=np.int16)
_BITS = (1 << np.arange(9, dtype=np.int16)).reshape(3, 3)


@lru_cache(maxsize=1)
def _may_be_removed() -> bytes:
    """Say for each of the 512 neighbourhoods, coded by ``_BITS``, whether its centre may go.

    It may where the neighbourhood keeps its number of 8-connected parts and the centre is not
    the end of a line, that is, where it has at least two neighbours.
    """
    table = bytearray(512)
    for code in range(512):
        window = (code & _BITS) > 0
        if window[1, 1] and window.sum() >= 3:
            parts = ndimage.label(window, _ALL_NEIGHBOURS)[1]
            window[1, 1] = False
            table[code] = ndimage.label(window, _ALL_NEIGHBOURS)[1] == parts
    return bytes(table)


def _scrambled(positions: np.ndarray) -> np.ndarray:
    """Hash pixel positions, so that ties are broken without a preferred direction."""
    mixed = positions.astype(np.uint64)
    for _ in range(2):
        mixed = ((mixed >> np.uint64(16)) ^ mixed) * np.uint64(0x45D9F3B) & np.uint64(0xFFFFFFFF)
    return (mixed >> np.uint64(16)) ^ mixed


def medial_axis(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the medial axis of ``mask`` and the distance of each pixel to the background.

    Pixels are looked at from the outline inwards (among equals, corners first) and removed
    where that changes no topology: Blum's grassfire as homotopic thinning. The lines that are
    left end in the shape's corners, as those of ``skimage.morphology.medial_axis`` do, which
    spends most of its time on rebuilding its look-up table for every image.

    Args:
        mask: bool, (H, W). What lies outside the image counts as background.

    Returns:
        Medial axis, bool, (H, W), one pixel wide; distance, float64, (H, W), in pixels.
    """
    padded = np.pad(mask, 1)
    distance = ndimage.distance_transform_edt(padded)
    grey = padded.astype(np.int16)
    codes = ndimage.correlate(grey, _BITS, mode="constant").ravel().tolist()
    neighbours = ndimage.correlate(grey, _ALL_NEIGHBOURS, mode="constant").ravel()
    inside = np.flatnonzero(padded)
    order = np.lexsort((_scrambled(inside), -neighbours[inside], distance.ravel()[inside]))
    removable, width = _may_be_removed(), padded.shape[1]
    # The pixel removed is the neighbour (dy, dx) of the pixel at −(dy, dx) from it.
    effects = [
        (-(dy * width + dx), int(_BITS[dy + 1, dx + 1])) for dy in (-1, 0, 1) for dx in (-1, 0, 1)
    ]
    removed = []
    for position in inside[order].tolist():
        if removable[codes[position]]:
            removed.append(position)
            for offset, bit in effects:
                codes[position + offset] -= bit
    axis = padded.ravel().copy()
    axis[removed] = False
    return axis.reshape(padded.shape)[1:-1, 1:-1], distance[1:-1, 1:-1]

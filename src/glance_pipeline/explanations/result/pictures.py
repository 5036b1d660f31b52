"""Pictures of an explanation: as Pillow has them, and several of them in one row."""

import numpy as np
from PIL import Image


def as_picture(array: np.ndarray) -> Image.Image:
    """Turn uint8 (C, H, W), C = 1 or 3, into a Pillow image."""
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))


def side_by_side(pictures: np.ndarray) -> np.ndarray:
    """Lay pictures (S, C, H, W) in a row, (C, H, S·W)."""
    return np.concatenate(list(pictures), axis=2)


def split_row(row: np.ndarray, count: int) -> np.ndarray:
    """Cut a row (C, H, S·W) into its ``count`` pictures, (S, C, H, W)."""
    return np.stack(np.split(row, count, axis=2))

"""Up-scaling of small grey images before they are binarised."""

from functools import lru_cache

import numpy as np
from scipy import ndimage

SCALE = 4  # as in Morpho-MNIST


@lru_cache(maxsize=16)
def _spline_and_smoothing(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cubic-spline (4·size, size) and Gaussian (4·size, 4·size) matrices of one axis."""
    spline = ndimage.zoom(np.eye(size), (SCALE, 1), order=3, mode="mirror", grid_mode=True)
    smoothing = ndimage.gaussian_filter1d(np.eye(SCALE * size), SCALE / 3, axis=0, mode="reflect")
    return spline, smoothing


def upscale(image: np.ndarray) -> np.ndarray:
    """Enlarge a grey image four times: cubic spline, then a Gaussian of 4/3 enlarged pixels.

    Gives what ``skimage.transform.pyramid_expand(image, 4, order=3)`` gives, as a few products
    of small matrices: both steps are separable, so their matrices are made once for each size.

    Args:
        image: (H, W), any real dtype.

    Returns:
        float64, (4 H, 4 W), within the range of ``image``.
    """
    rows, smooth_rows = _spline_and_smoothing(image.shape[0])
    columns, smooth_columns = _spline_and_smoothing(image.shape[1])
    enlarged = np.clip(rows @ image @ columns.T, image.min(), image.max())
    return smooth_rows @ enlarged @ smooth_columns.T

"""Whether a table of context features holds what the morphometry measures."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from glance_pipeline.digits.measure import FEATURES, measure_digits

_COMPARED = 32
_CLOSE = 1e-3  # of a feature's standard deviation


def measure_of(
    images: np.ndarray, context: pd.DataFrame, workers: int | None
) -> Callable[[np.ndarray], pd.DataFrame] | None:
    """Return the function that a table was measured by; None if it was not by morphometry.

    A name says little: the first images are measured, and the table must say the same of them.

    Args:
        images: uint8 (N, C, H, W).
        context: features of those images, one column for each.
        workers: processes that the function takes; None takes every core.
    """
    grey = images.shape[1] == 1
    if not grey or not context.shape[1] or not set(map(str, context)) <= set(FEATURES):
        return None
    table = context.astype(float)
    first = measure_digits(np.asarray(images[:_COMPARED]), n_jobs=1, progress=False)
    off = (first[list(table)].to_numpy() - table[:_COMPARED].to_numpy()) / table.std().to_numpy()
    if not (np.isnan(off) | (np.abs(off) <= _CLOSE)).all():
        return None
    return partial(measure_digits, n_jobs=workers, progress=False)

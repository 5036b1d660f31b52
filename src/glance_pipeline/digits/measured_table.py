"""Whether a table of context features holds what the morphometry measures."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from glance_pipeline.digits.measure import FEATURES, measure_digits

_COMPARED = 32
_CLOSE = 1e-3  # of a feature's standard deviation


def measure_of(
    images: np.ndarray, context: pd.DataFrame, names: Sequence[str], workers: int | None
) -> Callable[[np.ndarray], pd.DataFrame] | None:
    """Return the function that features were measured by; None if not all were by morphometry.

    A name says little: the first images are measured, and the table must say the same of them.
    Values that are missing say nothing; a feature of which all are has not been measured.

    Args:
        images: uint8 (N, C, H, W).
        context: features of those images, one column for each.
        names: of the features that are asked about.
        workers: processes that the function takes; None takes every core.
    """
    grey = images.shape[1] == 1
    if not grey or not names or not set(names) <= set(FEATURES) & set(map(str, context)):
        return None
    table = context[list(names)]
    if not all(is_numeric_dtype(column) for _, column in table.items()):
        return None
    table = table.astype(float)
    first = measure_digits(np.asarray(images[:_COMPARED]), n_jobs=1, progress=False)
    off = (first[list(names)].to_numpy() - table[:_COMPARED].to_numpy()) / table.std().to_numpy()
    compared = ~np.isnan(off)
    if not compared.any(0).all() or (np.abs(off[compared]) > _CLOSE).any():
        return None
    return partial(measure_digits, n_jobs=workers, progress=False)

"""The same work on many digits, in parallel, in order, with a progress bar."""

from collections.abc import Callable

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

CHUNK = 64  # digits that a worker takes at a time


def _each_of(function: Callable[..., np.ndarray], rows: list[np.ndarray]) -> np.ndarray:
    """Apply ``function`` to each row of a chunk, on one BLAS thread."""
    with threadpool_limits(1, user_api="blas"):
        return np.stack([function(*row) for row in zip(*rows, strict=True)])


def for_each_digit(
    function: Callable[..., np.ndarray],
    *rows: np.ndarray,
    workers: int | None,
    progress: bool,
    description: str,
) -> np.ndarray:
    """Apply ``function`` to every row and stack the results in the order of the rows.

    Each result depends on its row alone, so any number of workers gives the same array.

    Args:
        function: takes one row of each array of ``rows``; returns arrays of one shape.
        rows: arrays of equal, non-zero length N.
        workers: processes; None takes every available core. One chunk needs no second process.
        progress: whether to show a bar.
        description: what the bar says.

    Returns:
        (N, ...), the stacked results.
    """
    starts = range(0, len(rows[0]), CHUNK)
    chunks = [[array[start : start + CHUNK] for array in rows] for start in starts]
    jobs = 1 if len(chunks) == 1 else workers or -1
    results = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_each_of)(function, chunk) for chunk in chunks
    )
    done = []
    with tqdm(
        total=len(rows[0]), desc=description, unit="digit", disable=not progress, leave=False
    ) as bar:
        for result in results:
            done.append(result)
            bar.update(len(result))
    return np.concatenate(done)

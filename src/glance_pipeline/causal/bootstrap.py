"""Bootstrap resamples of a search, in parallel, the same for any number of workers."""

from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from glance_pipeline.config.discover import SearchParameters
from glance_pipeline.seeding import numpy_generator


class Resamples(NamedTuple):
    """What R resamples of L columns say.

    Attributes:
        marks: int8 (R, L, L), the mark at column j of the edge i – j, as ``fci_search`` has them.
        correlations: float (R, L, L), of the normal scores.
    """

    marks: np.ndarray
    correlations: np.ndarray


def effective_rows(rows: int, drawn: int) -> float:
    """Return the rows of a fresh sample whose correlations vary as much as a resample's do.

    The variance of a correlation over sampling ``rows`` and then drawing ``drawn`` of them with
    replacement is 1/rows + 1/drawn to first order: half of the rows for an ordinary bootstrap.
    """
    return 1.0 / (1.0 / rows + 1.0 / drawn)


def search_resamples(
    scores: np.ndarray, settings: SearchParameters, seed: int, workers: int
) -> Resamples:
    """Search every bootstrap resample of ``scores``, with a progress bar.

    Args:
        scores: normal scores, (rows, columns), two columns or more.
        settings: number and size of resamples, level and depth of the tests.
        seed: of the run; each resample has a stream of its own.
        workers: joblib workers.
    """
    drawn = min(settings.rows_per_resample or len(scores), len(scores))
    tasks = (
        delayed(_search_resample)(scores, drawn, settings, seed, index)
        for index in range(settings.resamples)
    )
    # No more workers than there are tasks worth one: each takes seconds to start.
    results = Parallel(n_jobs=min(workers, settings.resamples), return_as="generator")(tasks)
    found = list(tqdm(results, total=settings.resamples, desc="causal search", unit="resample"))
    return Resamples(np.stack([m for m, _ in found]), np.stack([c for _, c in found]))


def _search_resample(
    scores: np.ndarray, drawn: int, settings: SearchParameters, seed: int, index: int
) -> tuple[np.ndarray, np.ndarray]:
    from glance_pipeline.causal.fci_search import search  # slow to import

    rows = numpy_generator(seed, "causal search", index).integers(len(scores), size=drawn)
    resample = scores[rows]
    marks = search(resample, settings.alpha, settings.depth, effective_rows(len(scores), drawn))
    return marks, np.corrcoef(resample, rowvar=False)

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
    # causal-learn takes two seconds to import; and a worker imports what it runs, so that is kept
    # in a module without torch.
    from glance_pipeline.causal.fci_search import search

    drawn = min(settings.rows_per_resample or len(scores), len(scores))
    effective = effective_rows(len(scores), drawn)

    def resample(index: int) -> np.ndarray:
        generator = numpy_generator(seed, "causal search", index)
        return scores[generator.integers(len(scores), size=drawn)]

    tasks = (
        delayed(search)(resample(index), settings.alpha, settings.depth, effective)
        for index in range(settings.resamples)
    )
    results = Parallel(n_jobs=min(workers, settings.resamples), return_as="generator")(tasks)
    marks = list(tqdm(results, total=settings.resamples, desc="causal search", unit="resample"))
    correlations = [np.corrcoef(resample(k), rowvar=False) for k in range(settings.resamples)]
    return Resamples(np.stack(marks), np.stack(correlations))

"""Bootstrap resamples of a search, in parallel, the same for any number of workers."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.knowledge import Facts, add_required
from glance_pipeline.graph.search.algorithms import search
from glance_pipeline.graph.search.correlations import Block, Sample, associate, correlate
from glance_pipeline.support.seeding import numpy_generator, seed_sequence


class Resamples(NamedTuple):
    """What R resamples of L nodes say.

    Attributes:
        marks: int8 (R, L, L), the mark at node j of the edge i – j, as ``search`` has them, with
            the edges that the user requires.
        correlations: float (R, L, L), as ``associate`` has them.
        held: bool (R, L, L), whether the data of a resample have the edge.
    """

    marks: np.ndarray
    correlations: np.ndarray
    held: np.ndarray


def effective_rows(rows: int, drawn: int) -> float:
    """Return the rows of a fresh sample whose correlations vary as much as a resample's do.

    The variance of a correlation over sampling ``rows`` and then drawing ``drawn`` of them with
    replacement is 1/rows + 1/drawn to first order: half of the rows for an ordinary bootstrap.
    """
    return 1.0 / (1.0 / rows + 1.0 / drawn)


def search_resamples(
    scores: np.ndarray,
    blocks: tuple[Block, ...],
    settings: GraphSearchParameters,
    facts: Facts,
    *,
    seed: int,
    workers: int,
) -> Resamples:
    """Search every bootstrap resample of ``scores``, with a progress bar.

    Rows are drawn here and the workers are sent correlations, a matrix of a few columns: what they
    return depends neither on their number nor on the backend, which is joblib's default or what
    ``joblib.parallel_config`` says around the call (loky, threading, dask).

    Args:
        scores: (rows, columns), as ``SearchColumns`` has them, two nodes or more.
        blocks: the columns of each node.
        settings: method, number and size of resamples, level and depth of the tests.
        facts: the user's background knowledge.
        seed: seed of the run; each resample has a stream of its own.
        workers: joblib workers.
    """
    drawn = min(settings.rows_per_resample or len(scores), len(scores))
    effective = effective_rows(len(scores), drawn)
    correlations: list[np.ndarray] = []

    def samples() -> Iterator[Sample]:
        for index in range(settings.resamples):
            generator = numpy_generator(seed, "causal search", index)
            rows = scores[generator.integers(len(scores), size=drawn)]
            sample = Sample(correlate(rows), blocks, effective)
            correlations.append(associate(sample))
            yield sample

    tasks = (
        delayed(search)(sample, settings, facts, seed_sequence(seed, "causal search order", index))
        for index, sample in enumerate(samples())
    )
    results = Parallel(n_jobs=min(workers, settings.resamples), return_as="generator")(tasks)
    found = list(tqdm(results, total=settings.resamples, desc="causal search", unit="resample"))
    marks = np.stack([add_required(marks, facts) for marks in found])
    return Resamples(marks, np.stack(correlations), np.stack(found) != 0)

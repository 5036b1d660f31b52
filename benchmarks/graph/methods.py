"""The project's search beside causal-learn's own, on the same resamples of the same columns."""

import time
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from benchmarks.graph.known_models import KnownModel
from benchmarks.graph.plain import PLAIN
from benchmarks.graph.score import Counts, count, majority, marks_of, ratio
from benchmarks.graph.truth import truth_of
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable

OWN: tuple[str, ...] = get_args(GraphSearchParameters.model_fields["method"].annotation)
"""Names of the search methods that the project has."""

NOT_REEXAMINED = f"{OWN[0]}, not re-examined"
"""The first of them without the nonparametric test of its edges."""


def search_by_project(
    table: ConceptTable, method: str, settings: GraphSearchParameters, seed: int, workers: int
) -> np.ndarray:
    """Return the marks (L, L) of the project's graph."""
    if method == NOT_REEXAMINED:
        settings = settings.model_copy(update={"reexamination": None})
    else:
        settings = settings.model_copy(update={"method": method})
    graph = discover_concept_graph(table, settings, seed, workers)
    return marks_of(graph, tuple(map(str, table.concepts)))


def search_by_causal_learn(
    table: ConceptTable, method: str, settings: GraphSearchParameters, seed: int, workers: int
) -> np.ndarray:
    """Return the marks (L, L) of a plain method, summed up over the project's own resamples."""
    columns = table.concepts.to_numpy(np.float64)
    drawn = min(settings.rows_per_resample or len(columns), len(columns))

    def resample(index: int) -> np.ndarray:
        generator = numpy_generator(seed, "causal search", index)
        return columns[generator.integers(len(columns), size=drawn)]

    found = Parallel(n_jobs=workers)(
        delayed(PLAIN[method])(resample(index)) for index in range(settings.resamples)
    )
    return majority(np.stack(found), settings.threshold)


def compare_methods(
    models: Sequence[KnownModel],
    rows: int,
    settings: GraphSearchParameters,
    seed: int,
    workers: int,
) -> list[dict[str, Any]]:
    """Search columns of every model by every method, with a progress bar.

    Args:
        models: to draw columns from.
        rows: rows of each.
        settings: settings of the resamples; the plain methods take no more than their number, size
            and threshold from them.
        seed: seed of the run.
        workers: joblib workers, for every method alike.

    Returns:
        A mapping for each method: ``name``; ``shd`` and ``seconds``, means over the models;
        ``wrong_directions``, their sum; the four ratios, of sums over all models (None if there
        is nothing to divide by).
    """
    methods = {
        f"this project, {name}": (search_by_project, name) for name in (*OWN, NOT_REEXAMINED)
    }
    methods |= {name: (search_by_causal_learn, name) for name in PLAIN}
    counts, seconds = dict.fromkeys(methods, Counts()), dict.fromkeys(methods, 0.0)
    _warm_up(methods.values(), settings, seed, workers)
    for model in tqdm(models, desc="methods", unit="model"):
        table, truth = model.table(rows, seed), truth_of(model)
        for name, (search, method) in methods.items():
            began = time.perf_counter()
            found = search(table, method, settings, seed, workers)
            seconds[name] += time.perf_counter() - began
            counts[name] += count(found, truth)
    return [summary(name, counts[name], seconds[name], len(models)) for name in methods]


def summary(name: str, counts: Counts, seconds: float, models: int) -> dict[str, Any]:
    """Return one method's line from what was counted over several models."""
    return {
        "name": name,
        "shd": counts.distance / models,
        "adjacency_precision": ratio(counts.joined_right, counts.joined_found),
        "adjacency_recall": ratio(counts.joined_right, counts.joined_true),
        "arrowhead_precision": ratio(counts.heads_right, counts.heads_claimed),
        "arrowhead_recall": ratio(counts.heads_found, counts.heads_true),
        "wrong_directions": counts.wrong_directions,
        "seconds": seconds / models,
    }


def method_table(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the lines of ``compare_methods`` as a table."""
    return pd.DataFrame(lines).set_index("name").rename(columns=lambda name: name.replace("_", " "))


def _warm_up(methods: Any, settings: GraphSearchParameters, seed: int, workers: int) -> None:
    """Let every worker import what it will run, so that no method pays for it."""
    few = settings.model_copy(update={"resamples": max(2, workers)})
    # A chain of enough rows, so that edges are re-examined as well.
    columns = numpy_generator(seed, "warm-up").standard_normal((600, 3)).cumsum(axis=1)
    frame = pd.DataFrame(columns, columns=list("abc"))
    kinds = dict.fromkeys("abc", "aligned")
    table = ConceptTable(frame, pd.DataFrame(index=frame.index), kinds, dict.fromkeys("abc", ""))
    for search, method in methods:
        search(table, method, few, seed, workers)

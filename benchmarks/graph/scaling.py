"""Seconds over rows and nodes."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import pandas as pd

from benchmarks.graph.known_models import random_model
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.discovery import discover_concept_graph

DEGREE = 3.0
"""Mean number of neighbours in the models that are timed; a trained surrogate's graph has 2.7."""

HIDDEN_SHARE = 4
"""One hidden common cause for this many nodes."""

_FAREWELL = 30.0
"""Seconds that a process has to end by itself after its answer."""


def seconds_of_search(
    rows: int, nodes: int, settings: GraphSearchParameters, seed: int, workers: int
) -> float:
    """Return the seconds of one call of ``discover_concept_graph`` on a random known model."""
    table = random_model(nodes, nodes // HIDDEN_SHARE, DEGREE, seed, 0).table(rows, seed)
    began = time.perf_counter()
    discover_concept_graph(table, settings, seed, workers)
    return time.perf_counter() - began


def warm_seconds_of_search(
    rows: int, nodes: int, settings: GraphSearchParameters, seed: int, workers: int
) -> float:
    """Return the same after a small search has let every worker import what it runs."""
    few = settings.model_copy(update={"resamples": max(2, workers)})
    seconds_of_search(500, 4, few, seed, workers)
    return seconds_of_search(rows, nodes, settings, seed, workers)


def seconds_within(cap: float, timed: Callable[..., float], *arguments: Any) -> float | None:
    """Return what ``timed`` returns in a process of its own, None if it takes over ``cap`` s."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, timed, arguments))
    process.start()
    sender.close()
    try:
        if not receiver.poll(cap):
            return None
        seconds = receiver.recv()
        process.join(_FAREWELL)  # cut off, it would leave behind what its own workers share
        return seconds
    finally:
        process.terminate()
        process.join()
        receiver.close()


def measure_scaling(
    sizes: list[tuple[int, int]], settings: GraphSearchParameters, seed: int, cap: float
) -> list[dict[str, Any]]:
    """Time one search, of one resample, without re-examination, for each (rows, nodes), on a core.

    Args:
        sizes: to measure.
        settings: settings of the search; resamples, their rows and the re-examination are
            overruled.
        seed: seed of the run.
        cap: seconds after which a size is given up; it is named and left out.
    """
    one = settings.model_copy(
        update={"resamples": 1, "rows_per_resample": None, "reexamination": None}
    )
    measured = []
    for rows, nodes in sizes:
        seconds = seconds_within(cap, warm_seconds_of_search, rows, nodes, one, seed, 1)
        if seconds is None:
            print(f"left out: {rows:,} rows of {nodes} nodes take more than {cap:g} s")
            continue
        measured.append({"rows": rows, "nodes": nodes, "seconds": seconds})
    return measured


def scaling_table(measured: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the sizes and seconds of ``measure_scaling`` as a table."""
    return pd.DataFrame(measured, columns=["rows", "nodes", "seconds"]).set_index(["rows", "nodes"])


def _send(sender: Connection, timed: Callable[..., float], arguments: tuple[Any, ...]) -> None:
    sender.send(timed(*arguments))
    sender.close()

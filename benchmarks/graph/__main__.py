"""The command: ``python -m benchmarks.graph``."""

import argparse
import logging
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.command_line import command_line, write_result
from benchmarks.graph import verdicts
from benchmarks.graph.known_models import KnownModel, confounded_model, digit_model, random_model
from benchmarks.graph.methods import compare_methods, method_table
from benchmarks.graph.scaling import measure_scaling, scaling_table, warm_seconds_of_search
from benchmarks.graph.scenarios import MEANINGS, ROWS, run_scenarios, scenario_table
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.support.compute import available_cores

METHOD_NOTES = """
Every method searches the same bootstrap resamples, summed up by the same majority: an edge is in
half of them or more, a mark is what more than half of those say. The plain ones have causal-learn's
defaults and raw columns. Truth is the partial ancestral graph of what is observed. An arrowhead is
right where it is true of the model, even where no independence could tell it; it is missed where
observations could have told. A wrong direction (sum over models) claims a cause where there is
none. shd, seconds: means over models; precision and recall: over all models together.
"""


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes:
        random_models: number of random known models, half of them with hidden common causes.
        method_rows: rows of each table that the methods search.
        method_resamples: resamples of it.
        sizes: (rows, nodes) whose search is timed.
        cap: seconds after which one of them is given up.
    """

    random_models: int
    method_rows: int
    method_resamples: int
    sizes: list[tuple[int, int]]
    cap: float


FULL = Extent(
    random_models=8,
    method_rows=ROWS,
    method_resamples=20,
    sizes=[(10**power, 16) for power in range(3, 7)] + [(ROWS, n) for n in (8, 16, 32, 64)],
    cap=180.0,
)
QUICK = Extent(
    random_models=1,
    method_rows=2000,
    method_resamples=5,
    sizes=[(1000, 16), (10_000, 16), (ROWS, 8), (ROWS, 32)],
    cap=30.0,
)
RANDOM_NODES, RANDOM_HIDDEN, RANDOM_DEGREE = 8, 2, 2.0
RESAMPLES, NODES = 200, 16


def known_models(number: int, seed: int) -> list[KnownModel]:
    """Return the scenarios' models and ``number`` random ones, every other with hidden causes."""
    return [
        digit_model("standard"),
        digit_model("collider"),
        confounded_model(),
        *(
            random_model(RANDOM_NODES, RANDOM_HIDDEN * (index % 2), RANDOM_DEGREE, seed, index)
            for index in range(number)
        ),
    ]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything and print the tables."""
    extent, workers = QUICK if options.quick else FULL, available_cores()
    settings = GraphSearchParameters()
    numbers = range(options.seed, options.seed + options.seeds)
    result: dict[str, Any] = {"scenarios": run_scenarios(numbers, settings, workers)}
    _print(f"Known models, {ROWS:,} rows", scenario_table(result["scenarios"]))
    print("\n".join(f"{name.replace('_', ' ')}: {text}" for name, text in MEANINGS.items()))
    few = settings.model_copy(update={"resamples": extent.method_resamples})
    models = known_models(extent.random_models, options.seed)
    result["methods"] = compare_methods(models, extent.method_rows, few, options.seed, workers)
    title = f"{len(models)} known models, {extent.method_rows:,} rows, {few.resamples} resamples"
    _print(title, method_table(result["methods"]))
    print(METHOD_NOTES)
    result["verdicts"], table = verdicts.measure(options.seeds, options.quick)
    _print("Verdicts on concept → prediction edges", table)
    result["scaling"] = measure_scaling(extent.sizes, settings, options.seed, extent.cap)
    title = "Seconds of one search, of one resample, on one core, without re-examination"
    _print(title, scaling_table(result["scaling"]))
    return result | measure_resamples(settings, options.seed, workers)


def measure_resamples(settings: GraphSearchParameters, seed: int, workers: int) -> dict[str, float]:
    """Return the seconds of the resamples alone and of the whole search, and print them."""
    whole = settings.model_copy(update={"resamples": RESAMPLES})
    alone = whole.model_copy(update={"reexamination": None})
    seconds = {
        name: warm_seconds_of_search(ROWS, NODES, how, seed, workers)
        for name, how in (
            ("resamples_200_seconds", alone),
            ("resamples_200_and_reexamination_seconds", whole),
        )
    }
    first, both = seconds.values()
    size = f"{RESAMPLES} resamples, {NODES} nodes, {ROWS:,} rows, {workers} cores"
    print(f"\n{size}: {first:.1f} s; with the re-examination of the edges {both:.1f} s")
    return seconds


def _print(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}\n{table.to_string(float_format=lambda value: f'{value:.3f}')}")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = command_line("graph", "The causal graph against known truth, and its cost.")
    parser.add_argument(
        "--seeds", type=int, help="runs of each scenario (default: 10, with --quick 2)"
    )
    options = parser.parse_args(arguments)
    if options.seeds is None:
        options.seeds = 2 if options.quick else 10
    if options.seeds < 1:
        parser.error(f"--seeds: found {options.seeds}, wanted 1 or more")
    logging.basicConfig(level=logging.ERROR)
    result = run(options)
    write_result(result, options.json)


if __name__ == "__main__":
    main()

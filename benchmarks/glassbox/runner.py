"""Many cases, in processes beside each other; what is finished is not done again."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.finished import finish_all, unfinished
from benchmarks.glassbox.cases import CASES
from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.run_case import run_case
from benchmarks.glassbox.stock import make_stock, read_stock

logger = logging.getLogger(__name__)


def run_cases(
    names: list[str], configuration: Configuration, seed: int, folder: Path, workers: int
) -> list[dict[str, Any]]:
    """Run cases, each on one thread, and return their results in the order of ``names``.

    Every finished case is kept and is read instead of run the next time. A case that was cut off
    goes on from its last checkpoint.

    Args:
        names: names of ``CASES``.
        configuration: configuration of the benchmark.
        seed: seed of the run.
        folder: folder of this configuration, seed and code alone.
        workers: processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for scenario in sorted({CASES[name].scenario for name in unfinished(names, folder)}):
        if not _stock(folder, scenario).is_file():
            logger.info("drawing the images of the scenario %r", scenario)
            make_stock(scenario, configuration, seed, _stock(folder, scenario), workers)
    work = partial(_run, configuration=configuration, seed=seed, folder=folder)
    return finish_all(names, work, folder, workers, "glass boxes")


def _run(name: str, configuration: Configuration, seed: int, folder: Path) -> dict[str, Any]:
    case = CASES[name]
    stock = read_stock(_stock(folder, case.scenario), configuration)
    return run_case(case, stock, configuration, seed, folder / "checkpoints" / name)


def _stock(folder: Path, scenario: str) -> Path:
    return folder / f"images_{scenario}.npz"

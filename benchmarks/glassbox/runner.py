"""Many cases, in processes beside each other; what is finished is not done again."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

from benchmarks.glassbox.cases import CASES, Case
from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.run_case import run_case
from benchmarks.glassbox.stock import make_stock, read_stock

logger = logging.getLogger(__name__)


def run_cases(
    names: list[str], configuration: Configuration, seed: int, folder: Path, workers: int
) -> list[dict[str, Any]]:
    """Run cases, each on one thread, and return their results in the order of ``names``.

    Every finished case is a file ``<name>.json`` in ``folder`` and is read instead of run the
    next time. A case that was cut off goes on from its last checkpoint.

    Args:
        names: of ``CASES``.
        configuration: of the benchmark.
        seed: of the run.
        folder: of this configuration, seed and code alone.
        workers: processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [CASES[name] for name in names if not _result(folder, name).is_file()]
    if len(missing) < len(names):
        logger.info("%d of %d cases are finished already", len(names) - len(missing), len(names))
    for scenario in sorted({case.scenario for case in missing}):
        if not _stock(folder, scenario).is_file():
            logger.info("drawing the images of the scenario %r", scenario)
            make_stock(scenario, configuration, seed, _stock(folder, scenario), workers)
    with _bars_of_workers(shown=workers == 1):
        _run_all(missing, configuration, seed, folder, workers)
    return [json.loads(_result(folder, name).read_text()) for name in names]


def _run_all(
    cases: list[Case], configuration: Configuration, seed: int, folder: Path, workers: int
) -> None:
    tasks = (delayed(_run_and_keep)(case, configuration, seed, folder) for case in cases)
    done = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks)
    with tqdm(total=len(cases), desc="glass boxes", unit="case", disable=False) as bar:
        for name, seconds in done:
            bar.update()
            bar.write(f"{name}: finished in {seconds:.0f} s")


@contextmanager
def _bars_of_workers(shown: bool) -> Iterator[None]:
    """Hide the progress bars of the processes started meanwhile: they write over one another."""
    before = os.environ.get("TQDM_DISABLE")
    if not shown:
        os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("TQDM_DISABLE", None)
        else:
            os.environ["TQDM_DISABLE"] = before


def _run_and_keep(
    case: Case, configuration: Configuration, seed: int, folder: Path
) -> tuple[str, float]:
    stock = read_stock(_stock(folder, case.scenario), configuration)
    result = run_case(case, stock, configuration, seed, folder / "checkpoints" / case.name)
    path = _result(folder, case.name)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2) + "\n")
    part.replace(path)
    return case.name, result["seconds"]


def _result(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _stock(folder: Path, scenario: str) -> Path:
    return folder / f"images_{scenario}.npz"

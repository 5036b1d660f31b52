"""All teachers, in processes beside each other."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.architectures.configuration import Configuration
from benchmarks.architectures.material import make_material
from benchmarks.architectures.run_teacher import IMAGES, run_teacher
from benchmarks.finished import finish_all

logger = logging.getLogger(__name__)


def run_teachers(
    names: list[str], configuration: Configuration, seed: int, folder: Path, workers: int
) -> list[dict[str, Any]]:
    """Run teachers, each on one thread, and return their rows in the order of ``names``.

    A finished teacher is kept and is read instead of run the next time. One that was cut off goes
    on from its last checkpoint; its row says so (``resumed``), for its ``seconds`` and ``queries``
    then are those of the last run alone.

    Args:
        names: names of ``TEACHERS``.
        configuration: configuration of the benchmark.
        seed: seed of the run.
        folder: folder of this configuration, seed and code alone.
        workers: processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / IMAGES).is_file():
        logger.info("drawing the images")
        make_material(configuration, seed, folder / IMAGES, workers)
    work = partial(run_teacher, configuration=configuration, seed=seed, folder=folder)
    return finish_all(names, work, folder, workers, "architectures")

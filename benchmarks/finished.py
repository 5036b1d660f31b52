"""Many pieces of work, in processes beside each other; what is finished is not done again."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

logger = logging.getLogger(__name__)


def unfinished(names: list[str], folder: Path) -> list[str]:
    """Return those of ``names`` that have no result in ``folder`` yet."""
    return [name for name in names if not _result(folder, name).is_file()]


def finish_all(
    names: list[str],
    work: Callable[[str], dict[str, Any]],
    folder: Path,
    workers: int,
    title: str,
) -> list[dict[str, Any]]:
    """Return what ``work`` makes of each name, in their order.

    Every result is a file ``<name>.json`` in ``folder`` and is read instead of made the next time.

    Args:
        names: names of the pieces.
        work: takes a name; its result is what JSON can hold, with ``seconds`` in it.
        folder: folder of this configuration, seed and code alone.
        workers: processes.
        title: what the progress bar says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = unfinished(names, folder)
    if len(missing) < len(names):
        logger.info("%d of %d are finished already", len(names) - len(missing), len(names))
    tasks = (delayed(_finish)(name, work, folder) for name in missing)
    with _bars_of_workers(shown=workers == 1):
        done = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks)
        with tqdm(total=len(missing), desc=title, unit="case", disable=False) as bar:
            for name, seconds in done:
                bar.update()
                bar.write(f"{name}: finished in {seconds:.0f} s")
    return [json.loads(_result(folder, name).read_text()) for name in names]


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


def _finish(name: str, work: Callable[[str], dict[str, Any]], folder: Path) -> tuple[str, float]:
    result = work(name)
    path = _result(folder, name)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2) + "\n")
    part.replace(path)
    return name, result["seconds"]


def _result(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"

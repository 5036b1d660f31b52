"""One ``kedro run`` as one MLflow run."""

import logging
import math
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glance_pipeline import __version__
from glance_pipeline.project.tracking.metric_buffer import MetricBuffer, in_few_words
from glance_pipeline.support.names import mlflow_key
from glance_pipeline.support.whole import aside

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

LONGEST = 6000  # of a parameter's or a tag's value
PARAMETERS_PER_CALL = 100


class MlflowRun:
    """A run that has been started; it goes on until ``end``.

    It talks to MLflow through a client of its own: MLflow's *active run* belongs to one thread,
    and Kedro's runners start nodes in others. What MLflow cannot take, because its disk is full or
    its server away, is said once in the log and costs no more than itself: not the run.

    Args:
        client: Of the store.
        run_id: Of the run, which has been created.
        artifacts: Where its files go; None if that is no folder of this machine.
    """

    def __init__(self, client: "MlflowClient", run_id: str, artifacts: Path | None = None) -> None:
        self._client = client
        self._artifacts = artifacts
        self.run_id = run_id
        self.curves = MetricBuffer(client, run_id)
        self._names: dict[str, str] = {}
        self._said: set[str] = set()

    def log_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Log nested ``parameters`` flat, keys joined by dots."""
        from mlflow.entities import Param

        flat = [
            Param(self._key(parts), str(value)[:LONGEST]) for parts, value in flatten(parameters)
        ]
        for start in range(0, len(flat), PARAMETERS_PER_CALL):
            some = flat[start : start + PARAMETERS_PER_CALL]
            self._try("parameters", self._client.log_batch, self.run_id, params=some)

    def log_results(self, results: Mapping[str, Any]) -> None:
        """Log the numbers in nested ``results`` flat, keys joined by dots."""
        numbers = {
            self._key(parts): float(value)
            for parts, value in flatten(results)
            if isinstance(value, int | float) and math.isfinite(value)
        }
        self.curves.add(numbers, step=0)

    def log_artifact(self, path: Path, artifact_path: str) -> None:
        """Copy a file, or all that is in a folder, into the run's ``artifact_path``."""
        if self._artifacts is not None:
            self._try(path.name, _copy, path, self._artifacts / artifact_path)
            return
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        self._try(path.name, log, self.run_id, str(path), artifact_path)

    def tag(self, *name: str, value: str) -> None:
        """Set one tag; the parts of its name are joined by dots."""
        self._try("tags", self._client.set_tag, self.run_id, self._key(name), value[:LONGEST])

    def end(self, status: str) -> bool:
        """Close the run: FINISHED, FAILED or KILLED; return whether MLflow took it."""
        self.curves.flush()
        if self._names:
            self._try("names.json", self._client.log_dict, self.run_id, self._names, "names.json")
        return self._try("end", self._client.set_terminated, self.run_id, status)

    def _key(self, parts: Iterable[str]) -> str:
        """Return the key that MLflow takes; where it is another, ``names.json`` tells of what."""
        parts = tuple(parts)
        key, name = mlflow_key(*parts), ".".join(parts)
        if key != name:
            self._names[key] = name
        return key

    def _try(self, what: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
        try:
            call(*arguments, **options)
        except Exception as error:  # the store's, the disk's, the network's: of any kind
            if what not in self._said:
                self._said.add(what)
                logger.warning("MLflow did not take the run's %s: %s", what, in_few_words(error))
            return False
        return True


def _copy(path: Path, folder: Path) -> None:
    """Copy a file, or all that is in a folder, as MLflow does, but whole or not at all."""
    for one in path.iterdir() if path.is_dir() else [path]:
        with aside(folder / one.name) as place:
            if one.is_dir():
                shutil.copytree(one, place)
            else:
                shutil.copy2(one, place)


def code_version(project: Path) -> dict[str, str]:
    """Return tags that say which code ran: the package's version, the commit, uncommitted edits."""
    tags = {"code.version": __version__}
    commit, changes = _git(project, "rev-parse", "HEAD"), _git(project, "status", "--porcelain")
    if commit is not None:
        # the first name is MLflow's own: its page shows the commit under it
        tags |= {"mlflow.source.git.commit": commit, "code.uncommitted_changes": str(bool(changes))}
    return tags


def flatten(nested: Any, *within: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (keys from without to within, leaf) of nested mappings and of lists of mappings."""
    if isinstance(nested, Mapping):
        items = [(str(key), value) for key, value in nested.items()]
    elif isinstance(nested, list) and any(isinstance(value, Mapping | list) for value in nested):
        items = [(str(key), value) for key, value in enumerate(nested)]
    else:
        yield within, nested
        return
    for key, value in items:
        yield from flatten(value, *within, key)


def _git(project: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None

"""One ``kedro run`` as one MLflow run."""

import logging
import math
import os
import re
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from glance_pipeline import __version__
from glance_pipeline.tracking import MetricBuffer

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

LONGEST = 6000  # of a parameter's value
PARAMETERS_PER_CALL = 100


class MlflowConfiguration(BaseModel):
    """What ``conf/<env>/mlflow.yml`` says.

    Attributes:
        tracking_uri: The store of the runs.
        artifact_location: Where files of the runs go.
        experiment: Name that holds the runs together.
    """

    model_config = ConfigDict(extra="forbid")

    tracking_uri: str
    artifact_location: str
    experiment: str


class MlflowRun:
    """A run that has been started; it goes on until ``end``.

    It talks to MLflow through a client of its own: MLflow's *active run* belongs to one thread,
    and Kedro's runners start nodes in others.

    Args:
        configuration: Which store and experiment.
        name: Of the run.
        tags: Searchable facts about it.
    """

    def __init__(
        self, configuration: MlflowConfiguration, name: str, tags: Mapping[str, str]
    ) -> None:
        if configuration.tracking_uri.startswith("sqlite:///"):
            store = Path(configuration.tracking_uri.removeprefix("sqlite:///"))
            store.parent.mkdir(parents=True, exist_ok=True)
        self._client = _import_client()(configuration.tracking_uri)
        experiment = self._client.get_experiment_by_name(configuration.experiment)
        if experiment is None:
            experiment_id = self._client.create_experiment(
                configuration.experiment,
                configuration.artifact_location,
                tags={"mlflow.experimentKind": "custom_model_development"},  # its page's layout
            )
        else:
            experiment_id = experiment.experiment_id
        run = self._client.create_run(experiment_id, run_name=name, tags=dict(tags))
        self.run_id: str = run.info.run_id
        self.curves = MetricBuffer(self._client, self.run_id)

    def log_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Log nested ``parameters`` flat, keys joined by dots."""
        from mlflow.entities import Param

        flat = [Param(key, str(value)[:LONGEST]) for key, value in flatten(parameters)]
        for start in range(0, len(flat), PARAMETERS_PER_CALL):
            self._client.log_batch(self.run_id, params=flat[start : start + PARAMETERS_PER_CALL])

    def log_results(self, results: Mapping[str, Any]) -> None:
        """Log the numbers in nested ``results`` flat, keys joined by dots."""
        numbers = {
            re.sub(r"[^\w./ :-]", "_", key): float(value)
            for key, value in flatten(results)
            if isinstance(value, int | float) and math.isfinite(value)
        }
        self.curves.add(numbers, step=0)

    def log_artifact(self, path: Path, artifact_path: str) -> None:
        """Copy a file, or all that is in a folder, into the run's ``artifact_path``."""
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        log(self.run_id, str(path), artifact_path)

    def tag(self, name: str, value: str) -> None:
        """Set one tag."""
        self._client.set_tag(self.run_id, name, value)

    def end(self, status: str) -> None:
        """Close the run: FINISHED, FAILED or KILLED."""
        self.curves.flush()
        self._client.set_terminated(self.run_id, status)


def code_version(project: Path) -> dict[str, str]:
    """Return tags that say which code ran: the package's version, the commit, uncommitted edits."""
    tags = {"code.version": __version__}
    commit, changes = _git(project, "rev-parse", "HEAD"), _git(project, "status", "--porcelain")
    if commit is not None:
        # the first name is MLflow's own: its page shows the commit under it
        tags |= {"mlflow.source.git.commit": commit, "code.uncommitted_changes": str(bool(changes))}
    return tags


def flatten(nested: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, leaf) of nested mappings and of lists of mappings."""
    if isinstance(nested, Mapping):
        items = [(str(key), value) for key, value in nested.items()]
    elif isinstance(nested, list) and any(isinstance(value, Mapping | list) for value in nested):
        items = [(str(key), value) for key, value in enumerate(nested)]
    else:
        yield prefix, nested
        return
    for key, value in items:
        yield from flatten(value, f"{prefix}.{key}" if prefix else key)


def _import_client() -> type["MlflowClient"]:
    """Import MLflow, which takes two seconds, only for a run, and have it quiet."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice to authors of its models
        from mlflow.tracking import MlflowClient
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient


def _git(project: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None

"""The store of MLflow's runs: made whole, found again where it was moved, tidied of dead runs."""

import contextlib
import logging
import os
import socket
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from glance_pipeline.project.tracking.mlflow_run import MlflowRun
from glance_pipeline.support import locks
from glance_pipeline.support.whole import aside

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

_SQLITE = "sqlite:///"
_RESERVE = 1024 * 1024  # bytes
_HOST, _PROCESS = "process.host", "process.id"


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

    @property
    def file(self) -> Path | None:
        """The file of the store; None if it is no file of SQLite."""
        if not self.tracking_uri.startswith(_SQLITE):
            return None
        return Path(self.tracking_uri.removeprefix(_SQLITE).partition("?")[0])


class Lease:
    """Says that a run goes on as long as its process lives; what is left of dead ones is found.

    It keeps some of the disk for the run's last words, which a full disk would swallow.

    Args:
        folder: folder of all leases of a store.
        run_id: of the run.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._file = folder / f"{run_id}.lock"
        self._reserve = folder / f"{run_id}.reserve"
        self._lock: FileLock | None = None
        with contextlib.suppress(OSError):  # no locks there, or no room: then without
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = locks.hold(self._file)
            self._reserve.write_bytes(bytes(_RESERVE))

    def make_room(self) -> None:
        """Give back the disk that was kept."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    def end(self) -> None:
        """Say that the run has ended, and was told so to MLflow."""
        self.make_room()
        if self._lock is not None:
            locks.let_go(self._lock, self._file)
            self._lock = None

    @staticmethod
    def is_dead(folder: Path, run_id: str) -> bool:
        """Return whether the process of a run that had a lease is no more."""
        file = folder / f"{run_id}.lock"
        try:
            lock = locks.hold(file) if folder.is_dir() else None
        except OSError:
            return False
        if lock is None:
            return not folder.is_dir()
        locks.let_go(lock, file)
        with contextlib.suppress(OSError):
            (folder / f"{run_id}.reserve").unlink(missing_ok=True)
        return True


class MlflowStore:
    """A store that is open, with the experiment that runs belong to.

    Args:
        configuration: Which store and experiment.
        project: Root of the project, where leases lie if the store is no file.
    """

    def __init__(self, configuration: MlflowConfiguration, project: Path) -> None:
        client = _import_client()
        file = configuration.file
        self._leases = (
            project / ".mlflow-running" if file is None else file.with_name(f"{file.name}.running")
        )
        if file is not None:
            make_whole(file)
            _follow_the_move(file, configuration)
        self._lock = _lock_of(project / ".mlflow" if file is None else file)
        self.client: MlflowClient = client(configuration.tracking_uri)
        with locks.one_at_a_time(self._lock):
            self.experiment_id = self._experiment(configuration)
            self._close_dead_runs()

    def start(self, name: str, tags: dict[str, str]) -> tuple[MlflowRun, Lease]:
        """Start a run; return it and its lease."""
        tags = {**tags, _HOST: socket.gethostname(), _PROCESS: str(os.getpid())}
        with locks.one_at_a_time(self._lock):  # until it has its lease, it looks like a dead one
            run = self.client.create_run(self.experiment_id, run_name=name, tags=tags)
            lease = Lease(self._leases, run.info.run_id)
        uri = run.info.artifact_uri
        artifacts = None if _is_remote(uri) else _local(uri)
        return MlflowRun(self.client, run.info.run_id, artifacts), lease

    def _experiment(self, configuration: MlflowConfiguration) -> str:
        found = self.client.get_experiment_by_name(configuration.experiment)
        if found is None:
            return self.client.create_experiment(
                configuration.experiment,
                configuration.artifact_location,
                tags={"mlflow.experimentKind": "custom_model_development"},  # its page's layout
            )
        if not _same_place(found.artifact_location, configuration.artifact_location):
            logger.warning(
                "MLflow's experiment %r keeps its files in %s and not in %s, as mlflow.yml says; "
                "name another experiment there to have them in the new place",
                configuration.experiment,
                found.artifact_location,
                configuration.artifact_location,
            )
        return str(found.experiment_id)

    def _close_dead_runs(self) -> None:
        """End as killed the runs that say they go on and whose process is no more."""
        found = self.client.search_runs([self.experiment_id], "attributes.status = 'RUNNING'")
        for run in found:
            if _PROCESS in run.data.tags and Lease.is_dead(self._leases, run.info.run_id):
                self.client.set_terminated(run.info.run_id, "KILLED")
                logger.info(
                    "MLflow: the run %s of %s was cut off without a word; it is now marked KILLED",
                    run.info.run_name,
                    run.data.tags.get("kedro.save_version", "an earlier time"),
                )


def _lock_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")


def make_whole(file: Path) -> None:
    """Make the store where there is none, so that it is there with all its tables or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with locks.one_at_a_time(_lock_of(file)):
        if file.exists() and file.stat().st_size:
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with aside(file) as place:
            store = SqlAlchemyStore(f"{_SQLITE}{place.as_posix()}", "mlruns")
            store.engine.dispose()


def _follow_the_move(file: Path, configuration: MlflowConfiguration) -> None:
    """Have the store name the files' places as they are now: it names them by absolute paths.

    Runs follow where their files lie in the new place and no longer in the old one.
    """
    new = configuration.artifact_location
    new = new if "://" in new else Path(new).absolute().as_posix()
    with locks.one_at_a_time(_lock_of(file)), contextlib.closing(sqlite3.connect(file)) as store:
        experiments = "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?"
        found = store.execute(experiments, (configuration.experiment,)).fetchone()
        if found is None or _same_place(found[1], new) or "://" in new:
            return
        number, old = found
        moved = []
        runs = "SELECT run_uuid, artifact_uri FROM runs WHERE experiment_id = ?"
        for run, uri in store.execute(runs, (number,)):
            if uri.startswith(f"{old}/"):
                here = new + uri[len(old) :]
                if not _local(uri).exists() and (not _local(old).exists() or _local(here).exists()):
                    moved.append((here, run))
        with store:
            update = "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?"
            store.execute(update, (new, number))
            store.executemany("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", moved)
    logger.info(
        "MLflow: files of runs now go to %s and no longer to %s, as mlflow.yml says; "
        "the files of %d earlier runs were found there",
        new,
        old,
        len(moved),
    )


def _same_place(one: str, other: str) -> bool:
    if one == other:
        return True
    return (
        not _is_remote(one)
        and not _is_remote(other)
        and _local(one).resolve() == _local(other).resolve()
    )


def _is_remote(uri: str) -> bool:
    return "://" in uri and not uri.startswith("file:")


def _local(uri: str) -> Path:
    """Return the path of a place on this machine, which MLflow may write as an address."""
    return Path(unquote(urlparse(uri).path)) if uri.startswith("file:") else Path(uri)


def _import_client() -> type["MlflowClient"]:
    """Import MLflow, which takes two seconds, only for a run, and have it quiet."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice to authors of its models
        from mlflow.tracking import MlflowClient
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # what it cannot do we say, in one line
    return MlflowClient

"""Fixtures of all tests: a project whose data and runs lie in a folder of the test's own."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch and NumPy are imported, which read it
    os.environ["OMP_NUM_THREADS"] = "1"  # processes whose threads fight for a core are slow

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from helpers.project import Project

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

LONG = ("tutorial", "chain", "pipelines", "benchmarks", "onboarding")
"""Folders with tests of a minute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with long tests, so that at the end no process waits for another's last one."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without runs; to make one takes seconds, to copy it does not."""
    from mlflow.tracking import MlflowClient

    def make(folder: Path) -> None:
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()

    return _made_once(tmp_path_factory, "mlflow", make) / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, migrated_store: Path) -> Project:
    """The project, without any data."""
    return _new_project(tmp_path / "data", migrated_store)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory, migrated_store: Path) -> Project:
    """The project after the whole chain has run once in ``conf/test``; only to be read."""

    def make(folder: Path) -> None:
        _new_project(folder / "data", migrated_store).run()

    return Project(_made_once(tmp_path_factory, "finished", make) / "data")


@pytest.fixture
def finished_copy(finished_project: Project, tmp_path: Path, migrated_store: Path) -> Project:
    """A copy of ``finished_project`` that a test may run pipelines in; it has no MLflow runs."""
    project = _new_project(tmp_path / "data", migrated_store)
    ignore = shutil.ignore_patterns("mlflow.db", "mlruns")
    shutil.copytree(finished_project.data, project.data, ignore=ignore, dirs_exist_ok=True)
    return project


def _new_project(data: Path, store: Path) -> Project:
    data.mkdir()
    shutil.copy(store, data / "mlflow.db")
    return Project(data)


def _made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Return the folder that ``make`` has filled, once for all processes of this test run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, finished = shared / f"shared-{name}", shared / f"shared-{name}.finished"
    with FileLock(shared / f"shared-{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed half-way
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder

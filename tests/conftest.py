"""Fixtures of all tests: a project whose data and runs lie in a folder of the test's own."""

import os
import shutil
from pathlib import Path

import pytest

from helpers.project import Project

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without runs; to make one takes seconds, to copy it does not."""
    from mlflow.tracking import MlflowClient

    store = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{store}").search_experiments()
    return store


@pytest.fixture
def project(tmp_path: Path, migrated_store: Path) -> Project:
    """The project, without any data."""
    return _new_project(tmp_path / "data", migrated_store)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory, migrated_store: Path) -> Project:
    """The project after the whole chain has run once in ``conf/test``; only to be read."""
    project = _new_project(tmp_path_factory.mktemp("finished") / "data", migrated_store)
    project.run()
    return project


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

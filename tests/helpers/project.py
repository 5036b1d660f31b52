"""The Kedro project as tests run it: data and MLflow runs in a folder of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from glance_pipeline.project.lineage import FILE as ORIGINS

PROJECT = Path(__file__).parents[2]


def newest(data: Path, name: str) -> Path:
    """Return what lies at ``name`` under a data folder, of the newest version."""
    version = sorted((data / name).iterdir())[-1]
    (found,) = (path for path in version.iterdir() if path.name != ORIGINS)
    return found


def share_of_same_class(project: "Project") -> float:
    """Count on how many test images student and teacher name the same class."""
    held_out = project.load("image_records")["split"].to_numpy() == "test"
    images = torch.as_tensor(project.load("images")[held_out]) / 127.5 - 1
    surrogate = project.load("surrogate_aligned")
    with torch.no_grad():
        teacher = project.load("classifier").logits(images)
        student = surrogate.predict(surrogate.encode(images))
    return float(np.mean(teacher.argmax(1).numpy() == student.argmax(1).numpy()))


@dataclass(frozen=True)
class Project:
    """The Kedro project with its data under ``data``.

    Attributes:
        data: what ``data/`` is for a user.
        env: the configuration environment.
        conf: the folder of the configuration.
    """

    data: Path
    env: str = "test"
    conf: Path = PROJECT / "conf"

    @property
    def tracking_uri(self) -> str:
        """The store of its MLflow runs."""
        return f"sqlite:///{self.data}/mlflow.db"

    @contextmanager
    def session(self, params: dict[str, Any] | None = None) -> Iterator[KedroSession]:
        """Open a session of the project."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GLANCE_DATA_ROOT", str(self.data))
            bootstrap_project(PROJECT)
            with KedroSession.create(
                PROJECT, env=self.env, runtime_params=params, conf_source=str(self.conf)
            ) as session:
                yield session  # type: ignore[misc]

    def run(self, *pipelines: str, params: dict[str, Any] | None = None, **options: Any) -> dict:
        """Run pipelines, all of the chain where none is named, as ``kedro run`` does."""
        with self.session(params) as session:
            return session.run(pipeline_names=list(pipelines) or None, **options)

    def load(self, dataset: str) -> Any:
        """Load the newest version of a dataset."""
        with self.session() as session:
            return session.load_context().catalog.load(dataset)

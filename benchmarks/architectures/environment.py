"""The project's own pipelines, run by Kedro on images and a classifier of the benchmark's."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from benchmarks.command_line import PROJECT
from benchmarks.glassbox.digits import Digits

PIPELINES = ["ingest", "distill", "disentangle", "align", "discover"]
"""Those of ``own_data`` that lead to the causal graph with its interventions."""

_NAME = "benchmark"


@dataclass(frozen=True)
class Environment:
    """A configuration environment of the project whose files all lie in one folder.

    Attributes:
        folder: folder of configuration, images, results and MLflow store.
    """

    folder: Path

    def configure(self, classifier: dict[str, Any], parameters: dict[str, Any]) -> None:
        """Write ``conf/``: the project's base, and over it what a user would write.

        Args:
            classifier: its catalog entry.
            parameters: by block, over those of the base.
        """
        conf = self.folder / "conf"
        shutil.rmtree(conf, ignore_errors=True)
        shutil.copytree(PROJECT / "conf" / "base", conf / "base")
        (conf / _NAME).mkdir()
        files = {
            "catalog": {"classifier": classifier},
            "globals": {"data_root": str(self._data)},
            "mlflow": {
                "tracking_uri": self.tracking_uri,
                "artifact_location": str(self._data / "mlruns"),
            },
            "parameters": parameters,
        }
        for name, content in files.items():
            (conf / _NAME / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))

    @property
    def tracking_uri(self) -> str:
        """The store of its MLflow runs."""
        return f"sqlite:///{self._data}/mlflow.db"

    @property
    def _data(self) -> Path:
        return (self.folder / "data").resolve()

    def run(self) -> None:
        """Run the pipelines, as ``kedro run`` does."""
        with self._session() as session:
            session.run(pipeline_names=PIPELINES)

    def load(self, *datasets: str) -> list[Any]:
        """Load the newest versions of datasets."""
        with self._session() as session:
            catalog = session.load_context().catalog
            return [catalog[name].load() for name in datasets]

    def queries(self) -> int | None:
        """Return how many images the newest run asked a black box about; None without one."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(self.tracking_uri)
        experiments = [each.experiment_id for each in client.search_experiments()]
        newest = client.search_runs(experiments, order_by=["attributes.start_time DESC"])[0]
        asked = newest.data.metrics.get("classifier.queries")
        return None if asked is None else int(asked)

    @property
    def was_cut_off(self) -> bool:
        """Whether an earlier run left checkpoints, which the next goes on from."""
        return self._checkpoints.is_dir()

    def forget_checkpoints(self) -> None:
        """Remove the checkpoints, the bulk of what a finished run leaves."""
        shutil.rmtree(self._checkpoints, ignore_errors=True)

    @property
    def _checkpoints(self) -> Path:
        return self._data / "06_models" / "checkpoints"

    @contextmanager
    def _session(self) -> Iterator[KedroSession]:
        conf = str((self.folder / "conf").resolve())
        with _quiet():
            bootstrap_project(PROJECT)
            session = KedroSession.create(PROJECT, env=_NAME, conf_source=conf)
            with session:
                yield session


def write_images(digits: Digits, folder: Path) -> dict[str, Any]:
    """Write the digits as a user would have them; return the parameters that ingest them.

    Args:
        digits: images, context features and splits.
        folder: for ``images.npy`` and ``context.csv``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", digits.images)
    table = digits.context.assign(split=digits.records["split"])
    table.to_csv(folder / "context.csv", index=False)
    return {
        "source": str((folder / "images.npy").resolve()),
        "channels": 1,
        "size": digits.images.shape[-1],
        "context": {
            "tables": [str((folder / "context.csv").resolve())],
            "features": list(digits.context),
        },
        "split_column": "split",
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Let loggers say warnings only meanwhile: the benchmark has a bar of its own."""
    levels = {
        "kedro": logging.WARNING,
        "glance_pipeline": logging.WARNING,
        "kedro_viz": logging.ERROR,  # it warns that it does not record such a run
    }
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

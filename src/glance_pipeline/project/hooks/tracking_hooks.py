"""Each ``kedro run`` is one MLflow run: parameters, versions, curves, results and files."""

import atexit
import time
from itertools import islice
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from glance_pipeline.project.hooks.queries import queries_of
from glance_pipeline.project.hooks.saved import data_version, saved_path
from glance_pipeline.project.hooks.signals import ending_orderly
from glance_pipeline.project.tracking import metric_buffer as tracking
from glance_pipeline.project.tracking.mlflow_run import MlflowRun, code_version
from glance_pipeline.project.tracking.mlflow_store import Lease, MlflowConfiguration, MlflowStore


class TrackingHooks:
    """Each run is one MLflow run: parameters, versions, curves, results and files."""

    def __init__(self) -> None:
        self._run: MlflowRun | None = None
        self._lease: Lease

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the configuration comes from."""
        self._context = context

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Start the MLflow run."""
        self._end("KILLED")  # one that was interrupted in a notebook
        self._catalog = catalog
        self._tagged: set[str] = set()
        self._started = {"run": time.monotonic()}
        loader = self._context.config_loader
        wanted = run_params["pipeline_names"] or []
        name = ",".join(name for name in pipelines if name in wanted)  # Kedro's own order varies
        tags = {
            "mlflow.source.name": f"kedro run --pipelines {name}" if name else "kedro run",
            "mlflow.source.type": "LOCAL",
            "kedro.environment": str(run_params["env"] or "local"),
            "kedro.save_version": run_params["run_id"],
            **code_version(self._context.project_path),
        }
        configuration = MlflowConfiguration.model_validate(loader["mlflow"])
        store = MlflowStore(configuration, self._context.project_path)
        self._run, self._lease = store.start(name or "whole chain", tags)
        # Kedro says nothing to its hooks when a run is interrupted from the keyboard
        atexit.register(self._end, "KILLED")
        self._signals = ending_orderly()
        self._run.log_parameters(used_parameters(loader["parameters"], pipeline))
        tracking.connect(self._run.curves)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the node's clock."""
        self._started[node.name] = time.monotonic()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Log how long the node took."""
        if self._run:
            seconds = time.monotonic() - self._started[node.name]
            self._run.log_results({"seconds": {node.short_name: seconds}})

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Tag the run with the version of the data it read."""
        self._tag_version(dataset_name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log results and files of the datasets that ask for it in their ``metadata.mlflow``."""
        if self._run is None or is_parameter(dataset_name):
            return
        self._tag_version(dataset_name)
        dataset = self._catalog[dataset_name]
        wanted = (getattr(dataset, "metadata", None) or {}).get("mlflow", {})
        if wanted.get("metrics"):
            self._run.log_results(data)
        if "artifact_path" in wanted:
            path = saved_path(dataset)
            if holds_more(path, wanted.get("most_files")):
                self._run.tag("path", dataset_name, value=str(path))
            else:
                self._run.log_artifact(path, wanted["artifact_path"])

    @hook_impl
    def after_pipeline_run(self) -> None:
        """End the MLflow run."""
        self._end("FINISHED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """End the MLflow run as failed."""
        self._end("FAILED")

    def _tag_version(self, name: str) -> None:
        if self._run is None or is_parameter(name) or name in self._tagged:
            return
        self._tagged.add(name)
        version = data_version(self._catalog[name])
        if version is not None:
            self._run.tag("data", name, value=version)

    def _end(self, status: str) -> None:
        atexit.unregister(self._end)
        if self._run is None:
            return
        run, self._run = self._run, None
        self._signals.close()
        self._lease.make_room()
        self._log_the_whole(run)
        tracking.connect(None)
        if run.end(status):
            self._lease.end()  # else the next run finds it, and ends it

    def _log_the_whole(self, run: MlflowRun) -> None:
        from glance_pipeline.support.compute import (
            peak_rss_mb,  # imports torch: not when Kedro starts
        )

        seconds = time.monotonic() - self._started["run"]
        worked = time.process_time()
        used = {"seconds": seconds, "cpu_seconds": worked, "peak_rss_mb": peak_rss_mb()}
        run.log_results({"run": used})
        if (queries := queries_of(self._catalog)) is not None:
            asked = {"queries": queries.asked, "recalled": queries.recalled}
            run.log_results({"classifier": asked})


def used_parameters(parameters: dict[str, Any], pipeline: Pipeline) -> dict[str, Any]:
    """Return the top-level blocks of ``parameters`` that a node of ``pipeline`` reads."""
    inputs = {name.removeprefix("params:").partition(".")[0] for name in pipeline.inputs()}
    return {name: block for name, block in parameters.items() if name in inputs}


def holds_more(folder: Path, files: int | None) -> bool:
    """Return whether a folder holds more than a number of files, None for any number."""
    if files is None:
        return False
    found = (path for path in folder.rglob("*") if path.is_file())
    return len(list(islice(found, files + 1))) > files

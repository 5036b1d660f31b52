"""What is rehearsed, when, and what is said of it."""

import io
import logging
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kedro.io import CatalogProtocol, DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.explanations.running.selection import check_index
from glance_pipeline.project.rehearsal.few_images import sample_rows
from glance_pipeline.project.rehearsal.shadow_catalog import shadow_catalog
from glance_pipeline.project.rehearsal.shortened_parameters import typed
from glance_pipeline.project.tracking import metric_buffer as tracking

logger = logging.getLogger(__name__)

PARTS = ("distill", "disentangle", "align", "discover", "evaluate", "explain")
"""Pipelines that are rehearsed, from the first that trains in the run; the report comes last."""

STAGES = ("distill", "disentangle", "align")

LONG = 60.0
"""Seconds of training that are worth a rehearsal."""


class Rehearsal:
    """The chain from a training stage to the report, on a few images.

    A run that ends before the report is rehearsed to the report all the same: it is made for it,
    and the pipelines that come later will find the same classifier, names and parameters.

    Args:
        first: the training stage that is about to begin.
        stages: the training stages of the run, ``first`` among them.
        catalog: catalog of the run.
        pipelines: all registered ones.
    """

    def __init__(
        self,
        first: str,
        stages: tuple[str, ...],
        catalog: CatalogProtocol[Any, Any],
        pipelines: Mapping[str, Pipeline],
    ) -> None:
        self.first = first
        self.stages = stages
        self.catalog = catalog
        whole = sum((pipelines[name] for name in PARTS[PARTS.index(first) :]), Pipeline([]))
        absent = [name for name in whole.inputs() if not _is_there(name, catalog)]
        beyond = set(whole.from_inputs(*absent).nodes) if absent else set()
        self.pipeline = Pipeline([node for node in whole.nodes if node not in beyond])

    def run(self) -> None:
        """Rehearse where the training is long.

        Raises:
            Exception: whatever a node raises; the log says where, and how to go on regardless.
        """
        began = time.monotonic()
        rows = self._rows()
        with tempfile.TemporaryDirectory(prefix="glance-rehearsal-") as folder, without_traces():
            shadow = shadow_catalog(self.pipeline, self.catalog, rows, Path(folder))
            training, rest = self._in_two()
            failed = self._run_nodes(training, shadow)
            if failed is None and self._seconds_of_training(shadow) < LONG:
                return
            failed = failed or self._run_nodes(rest, shadow)
        seconds = time.monotonic() - began
        if failed is None:
            logger.info(
                "rehearsal: %.0f s, all of the chain to the report works on %d images",
                seconds,
                len(rows),
            )
            return
        node, error = failed
        logger.error(
            "rehearsal: %s: %s fails on %d images as it would fail after the training, with what "
            "follows; rehearse=false leaves the rehearsal out",
            min(node.tags, default=""),
            node.short_name.replace("_", " "),
            len(rows),
        )
        raise error

    def _rows(self) -> np.ndarray:
        """Return which images it takes."""
        explain: ExplainParameters = typed("params:explain", self.catalog.load("params:explain"))
        records = self.catalog.load("image_records")
        named = [one for one in explain.images or () if isinstance(one, int)]
        for one in named:
            check_index(one, len(records))
        first = tuple(named[: explain.count])
        return sample_rows(records, self.catalog.load("context_features"), first)

    def _in_two(self) -> tuple[list[Node], list[Node]]:
        """Return the nodes to the end of the first stage, and those after it."""
        cost = f"{self.first}_cost"
        training = self.pipeline.to_outputs(cost).nodes
        return training, [node for node in self.pipeline.nodes if node not in training]

    def _run_nodes(self, nodes: list[Node], shadow: DataCatalog) -> tuple[Node, Exception] | None:
        """Run nodes; return the one that failed, with its error."""
        for node in nodes:
            try:
                SequentialRunner().run(Pipeline([node]), shadow)
            except Exception as error:  # whatever a node raises is what is looked for
                return node, error
        return None

    def _seconds_of_training(self, shadow: DataCatalog) -> float:
        """Return about how long the run will train, by the steps of the first stage."""
        tried: StageParameters = shadow.load(f"params:{self.first}").stage
        seconds = shadow.load(f"{self.first}_cost")["seconds"] / (tried.steps * tried.batch_size)
        stages = [self.catalog.load(f"params:{name}").stage for name in self.stages]
        return float(seconds * sum(stage.steps * stage.batch_size for stage in stages))


@contextmanager
def without_traces() -> Iterator[None]:
    """Leave the run as it is: its random draws, its curves, its log and its progress bars."""
    torch_state, state = torch.get_rng_state(), random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - libraries draw from the global one
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with tracking.paused(), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(level)
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(state)


def _is_there(name: str, catalog: CatalogProtocol[Any, Any]) -> bool:
    if is_parameter(name):
        return True
    dataset = catalog.get(name) if name in catalog else None
    return dataset is not None and (
        getattr(dataset, "may_be_absent", False) or catalog.exists(name)
    )

"""The stages of the pipelines, run on arrays."""

import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.reading.conf_files import Configuration
from glance_pipeline.fitting.fit_parameters import FitParameters, packaged_configuration
from glance_pipeline.fitting.given_arrays import Arrays
from glance_pipeline.pipeline_registry import register_pipelines
from glance_pipeline.project.opened import make_absolute
from glance_pipeline.project.tracking.metric_buffer import paused

logger = logging.getLogger(__name__)

STAGES = ("distill", "disentangle", "align", "discover", "evaluate")

_LEFT = {
    "surrogate": "surrogate_aligned",
    "concepts": "concepts",
    "graph": "causal_graph",
    "structural_models": "structural_models",
    "metrics": "metrics",
}
"""The dataset of each artifact that explanations need."""


class MadeAnew(AbstractDataset[NoReturn, Classifier]):
    """A classifier that each node loads anew, as a project's nodes do from its file.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Classifier]) -> None:
        self._make = make

    def load(self) -> Classifier:
        """Make it."""
        return self._make()

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: nobody trains a teacher here."""
        raise NotImplementedError

    def _describe(self) -> dict[str, Any]:
        return {}


def run_stages(
    arrays: Arrays, teacher: Callable[[], Classifier], parameters: FitParameters, folder: Path
) -> dict[str, Any]:
    """Train, discover and evaluate, each stage from its last checkpoint where there is one.

    Args:
        arrays: images with their records and context features.
        teacher: makes the classifier.
        parameters: parameters of all stages.
        folder: where checkpoints and what lies between the stages are kept.

    Returns:
        What explanations need: ``surrogate``, ``concepts``, ``graph``, ``structural_models`` and
        ``metrics``.
    """
    registered = register_pipelines()
    stages = sum((registered[name] for name in STAGES), Pipeline([]))
    pipeline = stages.to_outputs(*_LEFT.values())
    inputs = {
        "images": arrays.images,
        "image_records": arrays.records,
        "context_features": arrays.context,
        "params:seed": parameters.shared.seed,
        "params:compute.workers": parameters.shared.compute.workers,
        **{f"params:{name}": block for name, block in parameters.blocks.items()},
    }
    catalog = _catalog(folder, {*inputs, "classifier"})
    for name, value in inputs.items():
        catalog[name] = MemoryDataset(value, copy_mode="assign")
    catalog["classifier"] = MadeAnew(teacher)
    with paused():
        # Not by one of Kedro's runners: they configure the logging of the whole process.
        for node in pipeline.nodes:
            logger.info("%s", node.short_name.replace("_", " "))
            made = node.run({name: catalog[name].load() for name in node.inputs})
            for name, value in made.items():
                catalog[name].save(value)
        return {name: catalog[dataset].load() for name, dataset in _LEFT.items()}


def _catalog(folder: Path, without: AbstractSet[str]) -> DataCatalog:
    """Return the catalog of a new project whose data lie in a folder, without some entries."""
    found = Configuration.read(packaged_configuration(), "base")
    kept = {name: entry for name, entry in found.catalog.items() if name not in without}
    make_absolute(kept, folder)
    return DataCatalog.from_config(kept, found.credentials)

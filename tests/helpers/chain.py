"""The whole chain on pictures of 8 px in memory: seconds from a classifier to the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro_datasets.json import JSONDataset
from kedro_datasets.text import TextDataset

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets import CheckpointFolderDataset, OptionalDataset
from glance_pipeline.pipeline_registry import register_pipelines

SIZE = 8
STAGE = {
    "steps": 5000,
    "batch_size": 8,
    "objectives": {
        "reconstruction": {"weight": 20},
        "distillation": {"weight": 1},
        "sufficiency": {"weight": 1, "start": 0.75},
    },
}
READER = {"widths": (8, 8), "hidden": 8, "steps": 4, "batch_size": 8}
PARAMETERS: dict[str, Any] = {
    "params:distill": DistillParameters.model_validate(
        {
            "surrogate": {
                "concepts": 2,
                "residual": 4,
                "widths": (8, 8),
                "style": 8,
                "mapping_layers": 2,
                "hidden": 8,
            },
            "stage": STAGE,
        }
    ),
    "params:disentangle": DisentangleParameters.model_validate({"stage": STAGE}),
    "params:align": AlignParameters.model_validate({"reader": READER, "stage": STAGE}),
    "params:discover": DiscoverParameters(),
    "params:evaluate": EvaluateParameters(),
    "params:explain": ExplainParameters(),
    "params:seed": 0,
    "params:compute.workers": 1,
}
_SAVED = "glance_pipeline.datasets.ExplanationFolderDataset"


def images_of(channels: int, count: int = 90) -> np.ndarray:
    """Return pictures, uint8 (N, C, 8, 8), with ramps of different tilt and shade."""
    draws = np.random.default_rng(0)
    ramp = np.linspace(-1, 1, SIZE)
    tilt, shade = draws.normal(size=(2, count, channels, 1, 1))
    noise = draws.normal(0, 8, (count, channels, SIZE, SIZE))
    pictures = 128 + 60 * tilt * ramp + 30 * shade + noise
    return pictures.clip(0, 255).astype(np.uint8)


def chain_catalog(
    folder: Path, classifier: Classifier, more: Mapping[str, Any] | None = None
) -> DataCatalog:
    """Return a catalog of the chain.

    Args:
        folder: where what lies in files is saved.
        classifier: the teacher; its ``image_shape`` is that of the images.
        more: what else is in memory, or is otherwise than in ``PARAMETERS``; a dataset stays one.
    """
    images = images_of(classifier.specification.image_shape[0])
    count = len(images)
    draws = np.random.default_rng(1)
    grey = images.mean(1)
    context = {"shade": grey.mean((1, 2)), "tilt": grey[:, :, -4:].mean((1, 2)) - grey.mean((1, 2))}
    memory = {
        "images": images,
        "image_records": pd.DataFrame(
            {
                "label": draws.choice(classifier.class_names, count),
                "split": np.resize(["train", "train", "test"], count),
            }
        ),
        "context_features": pd.DataFrame(context),
        "classifier": classifier,
        "source_digits": None,
        "known_graph": None,
        "image_form": None,
        **PARAMETERS,
        **(more or {}),
    }
    datasets: dict[str, AbstractDataset[Any, Any]] = {
        "explanations": OptionalDataset(dataset=_SAVED, filepath=str(folder / "explanations")),
        "report": TextDataset(filepath=str(folder / "report.html")),
        "metrics": OptionalDataset(
            dataset="json.JSONDataset", filepath=str(folder / "metrics.json")
        ),
        "align_cost": JSONDataset(filepath=str(folder / "align_cost.json")),
        "explanation_shards": CheckpointFolderDataset(filepath=str(folder / "shards")),
    }
    datasets |= {
        f"{stage}_checkpoints": CheckpointFolderDataset(filepath=str(folder / stage))
        for stage in ("distill", "disentangle", "align")
    }
    for name in ("chosen_images", "explained"):
        datasets[name] = MemoryDataset(copy_mode="assign")
    for name, value in memory.items():
        held = isinstance(value, AbstractDataset)
        datasets[name] = value if held else _memory(value)
    return DataCatalog(datasets)


def pipelines() -> dict[str, Pipeline]:
    """Return the registered pipelines."""
    return register_pipelines()


class Absent(AbstractDataset[Any, None]):
    """What is not there, as an ``OptionalDataset`` without a file."""

    may_be_absent = True

    def load(self) -> None:
        return None

    def save(self, data: Any) -> None: ...

    def _describe(self) -> dict[str, Any]:
        return {}


def _memory(value: Any) -> AbstractDataset[Any, Any]:
    return Absent() if value is None else MemoryDataset(value, copy_mode="assign")

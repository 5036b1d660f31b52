"""Nodes of the disentangle pipeline."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.project.tracking.metric_buffer import log_metrics
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.stages import StageRun, disentangle


def disentangle_concept_code(
    *,
    images: np.ndarray,
    image_records: pd.DataFrame,
    classifier: Classifier,
    surrogate: TwinSurrogate,
    critics: Critics,
    checkpoints: Path,
    parameters: DisentangleParameters,
    seed: int,
) -> tuple[TwinSurrogate, Critics, pd.DataFrame, dict[str, Any]]:
    """Train on until each concept acts on the image by itself; prune those without effect."""
    result = disentangle(
        PreparedImages(images, image_records),
        Players(surrogate, critics, classifier),
        parameters,
        StageRun(checkpoints, seed, log_metrics),
    )
    return result.surrogate, result.critics, result.history, result.cost

"""Nodes of the distill pipeline."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.project.tracking.metric_buffer import log_metrics
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.stages import StageRun, distill


def distill_classifier_into_surrogate(
    images: np.ndarray,
    image_records: pd.DataFrame,
    classifier: Classifier,
    checkpoints: Path,
    parameters: DistillParameters,
    seed: int,
) -> tuple[TwinSurrogate, Critics, pd.DataFrame, dict[str, Any]]:
    """Train student and generator to answer and draw as the teacher sees."""
    prepared = PreparedImages(images, image_records)
    result = distill(prepared, classifier, parameters, StageRun(checkpoints, seed, log_metrics))
    return result.surrogate, result.critics, result.history, result.cost

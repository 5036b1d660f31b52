"""Nodes of the align pipeline."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.digits.measured_table import measure_of
from glance_pipeline.project.tracking.metric_buffer import log_metrics
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.reader_training import train_reader, watched_for
from glance_pipeline.twin.training.stages import StageRun, align


def train_attribute_reader(
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    parameters: AlignParameters,
    seed: int,
) -> AttributeReader:
    """Train the reader of features and unnamed properties on real images."""
    context, concepts = standardise_context(
        context_features, image_records, parameters.units, parameters.kinds
    )
    rows = np.flatnonzero(image_records["split"] == "train")
    chosen = np.asarray(images[rows])
    watched = watched_for(chosen, context[rows], concepts, parameters.stage)
    return train_reader(chosen, context[rows], concepts, parameters.reader, seed, watched=watched)


def align_concepts_with_context(
    *,
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    classifier: Classifier,
    attribute_reader: AttributeReader,
    surrogate: TwinSurrogate,
    critics: Critics,
    checkpoints: Path,
    parameters: AlignParameters,
    seed: int,
) -> tuple[TwinSurrogate, Critics, pd.DataFrame, dict[str, Any]]:
    """Rotate the code towards the context, then train until each concept is its feature."""
    measure = measure_of(images, context_features, list(map(str, context_features)), 1)
    result = align(
        PreparedImages(images, image_records, context_features, measure),
        Players(surrogate, critics, classifier, attribute_reader),
        parameters,
        StageRun(checkpoints, seed, log_metrics),
    )
    return result.surrogate, result.critics, result.history, result.cost

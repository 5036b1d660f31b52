"""The three stages: what each starts from, and what it leaves in order."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from glance_pipeline import __version__
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.support.compute import chosen_device, chosen_processes
from glance_pipeline.support.fingerprint import fingerprint
from glance_pipeline.support.seeding import seeded_torch, torch_generator
from glance_pipeline.twin.basis.change_of_basis import align_basis
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.objectives.derivatives.hessian_penalty import effect_of_each_concept
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.data import TrainingData
from glance_pipeline.twin.training.engine import MetricSink, StageResult, train_stage
from glance_pipeline.twin.training.state import Stage
from glance_pipeline.twin.training.step import uses_bfloat16

logger = logging.getLogger(__name__)


def distill(
    images: np.ndarray,
    records: pd.DataFrame,
    classifier: Classifier,
    checkpoints: Path,
    parameters: DistillParameters,
    seed: int,
    log_metrics: MetricSink | None = None,
) -> StageResult:
    """Adversarial knowledge distillation: surrogate and critics from scratch (docs: Method).

    Args:
        images: uint8 (N, C, H, W).
        records: one row an image, with a column ``split``.
        classifier: the teacher.
        checkpoints: folder of this stage's checkpoints.
        parameters: sizes and schedule.
        seed: the run's seed.
        log_metrics: where training curves go.
    """
    data = TrainingData.of_split(images, records, classifier)
    sizes = parameters.surrogate
    image_shape: tuple[int, int, int] = (images.shape[1], images.shape[2], images.shape[3])
    shape = SurrogateShape(
        image_shape, data.logits.shape[1], data.features.shape[1], **sizes.model_dump()
    )
    with seeded_torch(seed, "distill", "weights"):
        surrogate = TwinSurrogate(shape, scale=data.scale_for(classifier.task))
        critics = Critics(image_shape, sizes.widths, shape.features)
    result = _train(
        "distill",
        parameters.stage,
        surrogate,
        critics,
        classifier,
        data,
        checkpoints,
        seed,
        None,
        log_metrics,
    )
    _describe_concepts(result.surrogate, data, prune_below=0.0)
    return result


def disentangle(
    images: np.ndarray,
    records: pd.DataFrame,
    classifier: Classifier,
    surrogate: TwinSurrogate,
    critics: Critics,
    checkpoints: Path,
    parameters: DisentangleParameters,
    seed: int,
    log_metrics: MetricSink | None = None,
) -> StageResult:
    """Regularise the effects of the concepts, then prune those without any (docs: Method)."""
    data = TrainingData.of_split(images, records, classifier)
    result = _train(
        "disentangle",
        parameters.stage,
        surrogate,
        critics,
        classifier,
        data,
        checkpoints,
        seed,
        None,
        log_metrics,
    )
    _describe_concepts(result.surrogate, data, parameters.prune_below)
    return result


def align(
    images: np.ndarray,
    records: pd.DataFrame,
    context_features: pd.DataFrame,
    classifier: Classifier,
    reader: AttributeReader,
    surrogate: TwinSurrogate,
    critics: Critics,
    checkpoints: Path,
    parameters: AlignParameters,
    seed: int,
    log_metrics: MetricSink | None = None,
) -> StageResult:
    """Change the basis towards the context features, then train until they are concepts.

    Without any context feature all concepts stay latent, and the stage trains on as it is.
    """
    context, concepts = standardise_context(
        context_features, records, parameters.units, parameters.kinds
    )
    data = TrainingData.of_split(images, records, classifier, context)
    assert data.context is not None
    codes = surrogate.encode_array(data.images)
    rotated = surrogate
    if concepts:
        rotated = align_basis(
            surrogate, codes, data.context, concepts, parameters.ridge, parameters.basis
        )
    result = _train(
        "align",
        parameters.stage,
        rotated,
        critics,
        classifier,
        data,
        checkpoints,
        seed,
        reader,
        log_metrics,
    )
    _describe_concepts(result.surrogate, data, parameters.prune_below)
    return result


def _train(
    name: str,
    parameters: StageParameters,
    surrogate: TwinSurrogate,
    critics: Critics,
    classifier: Classifier,
    data: TrainingData,
    checkpoints: Path,
    seed: int,
    reader: nn.Module | None,
    log_metrics: MetricSink | None,
) -> StageResult:
    if not classifier.differentiable:
        parameters = parameters.of_black_box()
    parts: dict[str, Any] = {
        "stage": name,
        "seed": seed,
        "parameters": parameters.model_dump(exclude={"checkpoint_every"}),
        "arithmetic": _arithmetic(parameters),
        "images": data.images,
        "logits": data.logits,
        "features": data.features,
        "classifier": classifier,
        "surrogate": surrogate,
        "critics": critics,
    }
    if data.context is not None:
        parts["context"] = data.context
    measures = [concept.measure for concept in surrogate.concepts]
    if set(measures) != {"continuous"}:
        parts["measures"] = measures
    if reader is not None:
        parts["reader"] = reader
    stage = Stage(
        name,
        parameters,
        surrogate,
        critics,
        classifier,
        data,
        Checkpoints(checkpoints, fingerprint(**parts)),
        torch_generator(seed, name, "steps"),
        reader,
    )
    return train_stage(stage, log_metrics)


def _arithmetic(parameters: StageParameters) -> dict[str, Any]:
    """Return what decides the last bits of a training."""
    arithmetic: dict[str, Any] = {
        "bfloat16": uses_bfloat16(parameters.precision),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "project": __version__,
    }
    if chosen_device().type != "cpu":
        arithmetic["device"] = torch.cuda.get_device_name()
    if chosen_processes() > 1:
        arithmetic["processes"] = chosen_processes()
    return arithmetic


def _describe_concepts(surrogate: TwinSurrogate, data: TrainingData, prune_below: float) -> None:
    """Write range, scale and activity of every concept, as the training images show them."""
    codes = surrogate.encode_array(data.images)
    low, high = torch.quantile(codes.concepts, torch.tensor([0.01, 0.99]), dim=0)
    sample = Codes(codes.concepts[:256], codes.residual[:256])
    effects = effect_of_each_concept(surrogate.generate_batched, sample)
    active = effects >= prune_below * effects.max()
    ranges = [
        _range(concept, float(low[index]), float(high[index]))
        for index, concept in enumerate(surrogate.concepts)
    ]
    surrogate.concepts = tuple(
        replace(
            concept,
            low=ranges[index][0],
            high=ranges[index][1],
            active=bool(active[index]) or concept.kind == "aligned",
        )
        for index, concept in enumerate(surrogate.concepts)
    )
    pruned = [concept.name for concept in surrogate.concepts if not concept.active]
    if pruned:
        logger.info("pruned, since they have no effect on the image: %s", ", ".join(pruned))


def _range(concept: Concept, low: float, high: float) -> tuple[float, float]:
    """Return the codes between which a concept is moved: two quantiles, or a clear no and yes."""
    if concept.measure == "continuous":
        return low, high
    return float(concept.standardise(0.0)), float(concept.standardise(1.0))

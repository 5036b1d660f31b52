"""The three stages: what each starts from, and what it leaves in order."""

import logging
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from glance_pipeline import __version__
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters, ReaderParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.context.determination import LARGEST, told_by_others
from glance_pipeline.context.properties import measure_properties
from glance_pipeline.context.watched import FEWEST_IMAGES
from glance_pipeline.support.compute import chosen_device, chosen_processes
from glance_pipeline.support.fingerprint import fingerprint
from glance_pipeline.support.seeding import numpy_generator, seeded_torch, torch_generator
from glance_pipeline.twin.basis.accompanying import Accompanying
from glance_pipeline.twin.basis.change_of_basis import align_basis
from glance_pipeline.twin.basis.held import Told, settle_the_rest
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives.derivatives.hessian_penalty import effect_of_each_concept
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.data import PreparedImages, TrainingData
from glance_pipeline.twin.training.engine import MetricSink, StageResult, train_stage
from glance_pipeline.twin.training.reader_refresh import MeasuredCodes, ReaderRefresh, refresh_on
from glance_pipeline.twin.training.reader_training import independence_weights, one_column_a_feature
from glance_pipeline.twin.training.state import Stage
from glance_pipeline.twin.training.step import uses_bfloat16

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageRun:
    """Where the run of a stage keeps its progress, and what its random draws depend on.

    Attributes:
        checkpoints: folder of this stage's checkpoints.
        seed: the run's seed.
        log_metrics: where training curves go.
    """

    checkpoints: Path
    seed: int
    log_metrics: MetricSink | None = None


def distill(
    prepared: PreparedImages, classifier: Classifier, parameters: DistillParameters, run: StageRun
) -> StageResult:
    """Adversarial knowledge distillation: surrogate and critics from scratch (docs: Method).

    Args:
        prepared: images and records; those of the training split are trained on.
        classifier: the teacher.
        parameters: sizes and schedule.
        run: checkpoints, seed and metrics.
    """
    data = TrainingData.of_split(prepared, classifier)
    sizes = parameters.surrogate
    image_shape: tuple[int, int, int] = data.images.shape[1:]
    shape = SurrogateShape(
        image_shape, data.logits.shape[1], data.features.shape[1], **sizes.model_dump()
    )
    with seeded_torch(run.seed, "distill", "weights"):
        surrogate = TwinSurrogate(shape, scale=data.scale_for(classifier.task))
        critics = Critics(image_shape, sizes.widths, shape.features)
    players = Players(surrogate, critics, classifier)
    result = _train("distill", parameters.stage, players, data, run)
    _describe_concepts(result.surrogate, data, prune_below=0.0)
    return result


def disentangle(
    prepared: PreparedImages, players: Players, parameters: DisentangleParameters, run: StageRun
) -> StageResult:
    """Regularise the effects of the concepts, then prune those without any (docs: Method)."""
    data = TrainingData.of_split(prepared, players.classifier)
    result = _train("disentangle", parameters.stage, players, data, run)
    _describe_concepts(result.surrogate, data, parameters.prune_below)
    return result


def align(
    prepared: PreparedImages, players: Players, parameters: AlignParameters, run: StageRun
) -> StageResult:
    """Change the basis towards the context features, then train until they are concepts.

    Without any context feature all concepts stay latent, and the stage trains on as it is.

    Args:
        prepared: images, records and context features.
        players: the networks after ``disentangle``, and the attribute reader.
        parameters: units and kinds of the features, basis and schedule.
        run: checkpoints, seed and metrics.
    """
    assert prepared.context is not None
    context, concepts = standardise_context(
        prepared.context, prepared.records, parameters.units, parameters.kinds
    )
    data = TrainingData.of_split(prepared, players.classifier, context)
    assert data.context is not None
    of_training = data.context
    _log_determination(of_training, concepts, run.seed)
    data = replace(data, weights=_weights(of_training, concepts, parameters.reader, run.seed))
    surrogate = players.surrogate
    if concepts:
        codes = surrogate.encode_array(data.images)
        surrogate = align_basis(
            surrogate, codes, of_training, concepts, parameters.ridge, parameters.basis
        )
    beside = _beside(data, concepts) if parameters.hold_unnamed else None
    surrogate = _settled(surrogate, data, beside)
    data = replace(data, told_beside=_told_beside(surrogate, data, beside))
    players = replace(players, surrogate=surrogate, reader=deepcopy(players.reader))
    refresh = None
    if isinstance(players.reader, AttributeReader):
        measured = MeasuredCodes(players.reader, tuple(concepts), prepared.measure)
        refresh = refresh_on(data, measured, parameters.reader)
    result = _train("align", parameters.stage, players, data, run, refresh)
    result = replace(result, surrogate=_settled(result.surrogate.cpu(), data, beside))
    _describe_concepts(result.surrogate, data, parameters.prune_below)
    return result


def _weights(
    context: Tensor, concepts: list[Concept], settings: ReaderParameters, seed: int
) -> Tensor | None:
    """Return the weights (N,) under which the context features are independent."""
    if not concepts:
        return None
    columns = one_column_a_feature(context, concepts)
    weights = independence_weights(columns, settings.independence, settings.largest_weight, seed)
    return torch.as_tensor(weights, dtype=torch.float32)


def _log_determination(context: Tensor, concepts: list[Concept], seed: int) -> None:
    """Say which features cannot be moved by themselves, before hours are spent on them."""
    simple = {c.name: context[:, k].numpy() for k, c in enumerate(concepts) if not c.feature}
    rng = numpy_generator(seed, "align", "determination")
    for name, determination in told_by_others(pd.DataFrame(simple), LARGEST, rng).items():
        logger.warning(
            "%s is %s: what it does by itself cannot be told; leave one of them out to tell the "
            "others apart",
            name,
            determination,
        )


def _beside(data: TrainingData, concepts: list[Concept]) -> Accompanying | None:
    """Measure what goes with the context features; None where it cannot be told."""
    if not concepts or len(data) < FEWEST_IMAGES:
        return None
    assert data.context is not None
    properties = measure_properties(data.images)
    found = Accompanying.of(properties, data.context, tuple(one.name for one in concepts))
    logger.info(
        "moving a feature leaves %d measured properties where they are, as far as they are not "
        "bound to it",
        found.properties.shape[1],
    )
    return found


def _told_beside(
    surrogate: TwinSurrogate, data: TrainingData, beside: Accompanying | None
) -> Tensor | None:
    if beside is None:
        return None
    aligned = surrogate.encode_array(data.images).concepts[:, : len(beside.held)]
    return beside.tell(aligned, data.weight_of_each).float()


def _settled(
    surrogate: TwinSurrogate, data: TrainingData, beside: Accompanying | None
) -> TwinSurrogate:
    """Return the surrogate with what is held settled, as the training images show it."""
    codes = surrogate.encode_array(data.images)
    told = Told(codes, data.logits, data.weight_of_each, beside)
    return settle_the_rest(surrogate, told).requires_grad_(False).eval()


def _train(
    name: str,
    parameters: StageParameters,
    players: Players,
    data: TrainingData,
    run: StageRun,
    refresh: ReaderRefresh | None = None,
) -> StageResult:
    if not players.classifier.differentiable:
        parameters = parameters.of_black_box()
    parts: dict[str, Any] = {
        "stage": name,
        "seed": run.seed,
        "parameters": parameters.model_dump(exclude={"checkpoint_every"}),
        "arithmetic": _arithmetic(parameters),
        "images": data.images,
        "logits": data.logits,
        "features": data.features,
        "classifier": players.classifier,
        "surrogate": players.surrogate,
        "critics": players.critics,
    }
    if data.context is not None:
        parts["context"] = data.context
    if data.told_beside is not None:
        parts["told_beside"] = data.told_beside
    measures = [concept.measure for concept in players.surrogate.concepts]
    if set(measures) != {"continuous"}:
        parts["measures"] = measures
    if players.reader is not None:
        parts["reader"] = players.reader
    if refresh is not None:
        parts["refresh"] = [refresh.every, refresh.rate, refresh.measured.measure is not None]
    stage = Stage(
        name,
        parameters,
        players,
        data,
        Checkpoints(run.checkpoints, fingerprint(**parts)),
        torch_generator(run.seed, name, "steps"),
        refresh,
    )
    return train_stage(stage, run.log_metrics)


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

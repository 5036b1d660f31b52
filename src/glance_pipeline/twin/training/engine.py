"""The one training loop of distill, disentangle and align."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from glance_pipeline.images.form import in_batches
from glance_pipeline.support.compute import chosen_device, chosen_processes, peak_rss_mb
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.training.averaging import refresh_statistics
from glance_pipeline.twin.training.processes import ProcessPlace, launch
from glance_pipeline.twin.training.state import Stage, TrainingState
from glance_pipeline.twin.training.step import train_step

logger = logging.getLogger(__name__)

MetricSink = Callable[[dict[str, float], int], None]
"""Takes named metrics and the step they belong to."""


@dataclass
class StageResult:
    """What a stage leaves behind.

    Attributes:
        surrogate: the averaged weights, in evaluation mode.
        critics: the adversaries as they are at the end.
        history: training curves, a row every ``log_every`` steps, a column per objective.
        cost: ``seconds`` of training over all its runs and ``peak_rss_mb`` of the process.
    """

    surrogate: TwinSurrogate
    critics: Critics
    history: pd.DataFrame
    cost: dict[str, float]


def train_stage(stage: Stage, log_metrics: MetricSink | None = None) -> StageResult:
    """Train on a list of objectives, from the last checkpoint if there is one.

    Args:
        stage: what is trained; its networks are changed in place.
        log_metrics: where metrics go every ``log_every`` steps; where several processes train,
            all of them when those are done.

    Raises:
        FloatingPointError: if an objective is no longer finite; the last checkpoint stays.
        UserError: if one of several processes fails, likewise.
    """
    steps = stage.parameters.steps
    if chosen_processes() > 1 and stage.checkpoints.newest_step() < steps:
        launch(train_share, stage, chosen_processes())
    # Several processes have left nothing to do but to read their last checkpoint.
    state = train(stage, chosen_device(), log_metrics)
    refresh_statistics(state.average.encoder, in_batches(stage.data.images))
    state.average.requires_grad_(False).eval()
    return StageResult(
        state.average,
        stage.players.critics,
        pd.DataFrame(state.history),
        {"seconds": state.seconds, "peak_rss_mb": state.peak_rss_mb},
    )


def train_share(stage: Stage, place: ProcessPlace) -> None:
    """Train in one of several processes; the first one writes the checkpoints of all."""
    train(stage, place.device, None, place)


def train(
    stage: Stage,
    device: torch.device,
    log_metrics: MetricSink | None = None,
    place: ProcessPlace | None = None,
) -> TrainingState:
    """Take the steps that are left; return the state after the last.

    Args:
        stage: what is trained.
        device: where.
        log_metrics: where metrics go.
        place: place of this process among several; None if it is alone.
    """
    parameters = stage.parameters
    state = _resumed(stage, device, log_metrics)
    classifier = stage.players.classifier
    if not classifier.differentiable:
        # Evaluated, its answer to an image depends on no other image of the batch.
        classifier = classifier.guided_by(state.average.eval().respond)
        most = 2 * parameters.batch_size * (parameters.steps - state.step)
        logger.info("%s: the teacher is asked about %d generated images at most", stage.name, most)
    if place is not None:
        place.share(state, stage)
    first = place is None or place.rank == 0
    bar = tqdm(
        total=parameters.steps,
        initial=state.step,
        desc=stage.name,
        unit="step",
        smoothing=0.05,
        disable=not first,
    )
    began = time.perf_counter() - state.seconds
    while state.step < parameters.steps:
        values = train_step(state, stage, classifier)
        state.step += 1
        for key, value in values.items():
            total, count = state.sums.get(key, [0.0, 0.0])
            state.sums[key] = [total + value, count + 1.0]
        bar.update()
        last = state.step == parameters.steps
        if state.step % parameters.log_every == 0 or last:
            _log(state, stage.name, bar, log_metrics)
        if first and (state.step % parameters.checkpoint_every == 0 or last):
            state.seconds = time.perf_counter() - began
            state.peak_rss_mb = max(state.peak_rss_mb, peak_rss_mb())
            stage.checkpoints.save(state.step, state.to_dict())
    bar.close()
    return state


def _resumed(stage: Stage, device: torch.device, log_metrics: MetricSink | None) -> TrainingState:
    """Return the state of the last checkpoint, or that before the first step."""
    state = TrainingState.at_start(stage, device)
    saved = stage.checkpoints.latest()
    if saved is not None:
        state.from_dict(saved)
        if state.step < stage.parameters.steps:
            logger.info(
                "%s: going on from step %d of %d", stage.name, state.step, stage.parameters.steps
            )
        for row in state.history:  # this run's curves begin where the training did
            _send(row, stage.name, log_metrics)
    return state


def _log(
    state: TrainingState,
    name: str,
    bar: "tqdm[Any]",
    log_metrics: MetricSink | None,
) -> None:
    means = {key: total / count for key, (total, count) in state.sums.items()}
    state.sums = {}
    state.history.append({"step": state.step, **means})
    bar.set_postfix({key: f"{value:.3g}" for key, value in list(means.items())[:4]})
    _send(state.history[-1], name, log_metrics)


def _send(row: dict[str, float], name: str, log_metrics: MetricSink | None) -> None:
    if log_metrics is not None:
        values = {f"{name}/{key}": value for key, value in row.items() if key != "step"}
        log_metrics(values, int(row["step"]))

"""The one training loop of distill, disentangle and align."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from glance_pipeline.classifier import Classifier
from glance_pipeline.compute import multiplies_in_bfloat16, peak_rss_mb
from glance_pipeline.config.training import StageParameters
from glance_pipeline.images import in_batches
from glance_pipeline.networks import TwinSurrogate
from glance_pipeline.networks.critics import Critics
from glance_pipeline.networks.layers import channels_last
from glance_pipeline.objectives import build_objectives
from glance_pipeline.objectives.twin_pass import TwinPass
from glance_pipeline.training.averaging import decay_of, refresh_statistics, update_average
from glance_pipeline.training.checkpoint import Checkpoints
from glance_pipeline.training.data import EpochSampler, TrainingData

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


@dataclass
class _State:
    """Everything that changes while training, and so everything that a checkpoint holds."""

    surrogate: TwinSurrogate
    average: TwinSurrogate
    critics: Critics
    sampler: EpochSampler
    optimiser: torch.optim.Adam
    critic_optimiser: torch.optim.Adam
    step: int = 0
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, list[float]] = field(default_factory=dict)  # total and number of steps
    objectives: dict[str, Any] = field(default_factory=dict)  # those that change while training

    _NETWORKS = ("surrogate", "average", "critics", "optimiser", "critic_optimiser")
    _PLAIN = ("step", "seconds", "peak_rss_mb", "history", "sums")

    def to_dict(self) -> dict[str, Any]:
        state = {name: getattr(self, name).state_dict() for name in self._NETWORKS}
        state |= {name: getattr(self, name) for name in self._PLAIN}
        state["objectives"] = {key: o.state_dict() for key, o in self.objectives.items()}
        state["waiting"] = self.sampler.waiting
        state["generator"] = self.sampler.generator.get_state()
        return state

    def from_dict(self, state: dict[str, Any]) -> None:
        for name in self._NETWORKS:
            getattr(self, name).load_state_dict(state[name])
        for name in self._PLAIN:
            setattr(self, name, state[name])
        for name, objective in self.objectives.items():
            objective.load_state_dict(state["objectives"][name])
        self.sampler.waiting = state["waiting"]
        self.sampler.generator.set_state(state["generator"])


def train_stage(
    name: str,
    parameters: StageParameters,
    surrogate: TwinSurrogate,
    critics: Critics,
    classifier: Classifier,
    data: TrainingData,
    checkpoints: Checkpoints,
    generator: torch.Generator,
    reader: nn.Module | None = None,
    log_metrics: MetricSink | None = None,
) -> StageResult:
    """Train on a list of objectives, from the last checkpoint if there is one.

    Args:
        name: of the stage, for the progress bar and the names of metrics.
        parameters: steps, rates and objectives.
        surrogate: where the stage starts; it is trained in place.
        critics: likewise.
        classifier: the frozen teacher. Where it has no gradients, the averaged student, which
            learns beside it by the objective ``imitation``, lends its own.
        data: training images.
        checkpoints: of a training with this very configuration, data and teacher.
        generator: source of every random draw.
        reader: the frozen attribute reader, for objectives that need one.
        log_metrics: where metrics go every ``log_every`` steps.

    Raises:
        FloatingPointError: where an objective is no longer finite; the last checkpoint stays.
    """
    objectives = build_objectives(parameters)
    state = _start(parameters, surrogate, critics, len(data), generator)
    state.objectives = {k: o for k, o in objectives.items() if hasattr(o, "state_dict")}
    saved = checkpoints.latest()
    if saved is not None:
        state.from_dict(saved)
        logger.info("%s: going on from step %d of %d", name, state.step, parameters.steps)
        for row in state.history:  # this run's curves begin where the training did
            _send(row, name, log_metrics)
    if not classifier.differentiable:
        # Evaluated, its answer to an image hangs on no other image of the batch.
        classifier = classifier.guided_by(state.average.eval().respond)
        most = 2 * parameters.batch_size * (parameters.steps - state.step)
        logger.info("%s: the teacher is asked about %d generated images at most", name, most)
    bar = tqdm(total=parameters.steps, initial=state.step, desc=name, unit="step", smoothing=0.05)
    began = time.perf_counter() - state.seconds
    while state.step < parameters.steps:
        values = _train_step(state, parameters, objectives, classifier, data, reader)
        state.step += 1
        for key, value in values.items():
            total, count = state.sums.get(key, [0.0, 0.0])
            state.sums[key] = [total + value, count + 1.0]
        bar.update()
        if state.step % parameters.log_every == 0 or state.step == parameters.steps:
            _log(state, name, bar, log_metrics)
        if state.step % parameters.checkpoint_every == 0 or state.step == parameters.steps:
            state.seconds = time.perf_counter() - began
            state.peak_rss_mb = max(state.peak_rss_mb, peak_rss_mb())
            checkpoints.save(state.step, state.to_dict())
    bar.close()
    refresh_statistics(state.average.encoder, in_batches(data.images))
    state.average.requires_grad_(False).eval()
    return StageResult(
        state.average,
        critics,
        pd.DataFrame(state.history),
        {"seconds": state.seconds, "peak_rss_mb": state.peak_rss_mb},
    )


def _start(
    parameters: StageParameters,
    surrogate: TwinSurrogate,
    critics: Critics,
    images: int,
    generator: torch.Generator,
) -> _State:
    average = TwinSurrogate.from_weights(*surrogate.to_weights()).requires_grad_(False)
    channels_last(surrogate).train().requires_grad_(True)
    channels_last(critics).train()
    adam = partial(
        torch.optim.Adam, lr=parameters.learning_rate, betas=parameters.betas, fused=True
    )
    return _State(
        surrogate,
        average,
        critics,
        EpochSampler(images, parameters.batch_size, generator),
        adam(surrogate.parameters()),
        adam(critics.parameters()),
    )


def _train_step(
    state: _State,
    parameters: StageParameters,
    objectives: dict[str, Any],
    classifier: Classifier,
    data: TrainingData,
    reader: nn.Module | None,
) -> dict[str, float]:
    progress = state.step / parameters.steps
    weights = {
        str(key): schedule.weight_at(progress) for key, schedule in parameters.objectives.items()
    }
    active = {key: objective for key, objective in objectives.items() if weights[key] > 0}
    for optimiser in (state.optimiser, state.critic_optimiser):
        for group in optimiser.param_groups:
            group["lr"] = parameters.learning_rate * _rate_at(progress, parameters.decay)
    step = TwinPass(
        state.surrogate,
        classifier,
        state.critics,
        data.batch(state.sampler.next()),
        state.sampler.generator,
        parameters.intervened,
        reader,
    )
    bfloat16 = uses_bfloat16(parameters.precision)
    state.critics.requires_grad_(False)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        terms = {key: objective(step) for key, objective in active.items()}
    total = torch.stack([weights[key] * term for key, term in terms.items()]).sum()
    values = {key: float(term.detach()) for key, term in terms.items()}
    _check_finite(total, state.step, values)
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()
    state.optimiser.step()
    decay = decay_of(parameters.ema_images, parameters.batch_size, state.step + 1)
    update_average(state.average, state.surrogate, decay)
    if state.step % parameters.critic_every == 0:
        values |= _train_critics(state, active, step, bfloat16, parameters.critic_every)
    return values


def _train_critics(
    state: _State, active: dict[str, Any], step: TwinPass, bfloat16: bool, every: int
) -> dict[str, float]:
    games = {key: game for key, game in active.items() if hasattr(game, "critic_loss")}
    if not games:
        return {}
    state.critics.requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        losses: dict[str, Tensor] = {
            f"{key}_critic": g.critic_loss(step) for key, g in games.items()
        }
    total = torch.stack(list(losses.values())).sum()
    for game in games.values():
        if (state.step // every) % game.lazy == 0:
            # R1 differentiates a gradient: it stays in float32.
            total = total + game.penalty(step)
    values = {key: float(loss.detach()) for key, loss in losses.items()}
    for key, game in games.items():
        if (augmentation := getattr(game, "augmentation", None)) is not None:
            values[f"{key}_augmentation"] = augmentation.probability
    _check_finite(total, state.step, values)
    state.critic_optimiser.zero_grad(set_to_none=True)
    total.backward()
    state.critic_optimiser.step()
    return values


def _check_finite(total: Tensor, step: int, values: dict[str, float]) -> None:
    if not math.isfinite(float(total.detach())):
        raise FloatingPointError(f"step {step}: an objective is not finite: {values}")


def _log(
    state: _State,
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


def _rate_at(progress: float, decay: float) -> float:
    """Return the factor of the learning rate: 1, then a half cosine over the last ``decay``."""
    if decay == 0 or progress <= 1 - decay:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - (1 - decay)) / decay))


def uses_bfloat16(precision: str) -> bool:
    """Return whether the networks run in bfloat16; ``auto`` asks what the processor can."""
    if precision == "auto":
        return multiplies_in_bfloat16()
    return precision == "bfloat16"

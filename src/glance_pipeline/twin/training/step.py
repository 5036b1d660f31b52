"""One step of a stage: the surrogate learns, then the critics."""

import math
from typing import Any

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.support.compute import Precision, autocast, chosen_device, runs_in_bfloat16
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives.twin_pass import TwinPass
from glance_pipeline.twin.training.averaging import decay_of, update_average
from glance_pipeline.twin.training.rows import sum_gradients
from glance_pipeline.twin.training.state import Stage, TrainingState


def train_step(state: TrainingState, stage: Stage, classifier: Classifier) -> dict[str, float]:
    """Take one step in place; return the value of each objective that counted.

    Args:
        state: is changed, but for the number of steps.
        stage: what is trained on.
        classifier: the stage's, with gradients of its own or lent ones.

    Raises:
        FloatingPointError: if an objective is no longer finite; no weight was changed.
    """
    parameters = stage.parameters
    progress = state.step / parameters.steps
    weights = {
        str(key): schedule.weight_at(progress) for key, schedule in parameters.objectives.items()
    }
    active = {key: objective for key, objective in state.objectives.items() if weights[key] > 0}
    for optimiser in (state.optimiser, state.critic_optimiser):
        for group in optimiser.param_groups:
            group["lr"] = parameters.learning_rate * _rate_at(progress, parameters.decay)
    device = state.surrogate.device
    step = TwinPass(
        Players(state.surrogate, state.critics, classifier, stage.players.reader),
        stage.data.batch(state.sampler.next(), device),
        state.sampler.generator,
        parameters.intervened,
    )
    bfloat16 = uses_bfloat16(parameters.precision)
    state.critics.requires_grad_(False)
    with autocast(device, bfloat16):
        terms = {key: objective(step) for key, objective in active.items()}
    total = torch.stack([weights[key] * term for key, term in terms.items()]).sum()
    values = {key: float(term.detach()) for key, term in terms.items()}
    _check_finite(total, state.step, values)
    _descend(state.optimiser, total)
    decay = decay_of(parameters.ema_images, parameters.batch_size, state.step + 1)
    update_average(state.average, state.surrogate, decay)
    if state.step % parameters.critic_every == 0:
        values |= _train_critics(state, active, step, bfloat16, parameters.critic_every)
    if state.refresh is not None and state.step % state.refresh.every == 0:
        values |= state.refresh(step)
    return values


def _train_critics(
    state: TrainingState, active: dict[str, Any], step: TwinPass, bfloat16: bool, every: int
) -> dict[str, float]:
    games = {key: game for key, game in active.items() if hasattr(game, "critic_loss")}
    if not games:
        return {}
    state.critics.requires_grad_(True)
    with autocast(state.surrogate.device, bfloat16):
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
    _descend(state.critic_optimiser, total)
    return values


def _descend(optimiser: torch.optim.Optimizer, total: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    sum_gradients(optimiser)
    optimiser.step()


def _check_finite(total: Tensor, step: int, values: dict[str, float]) -> None:
    if not math.isfinite(float(total.detach())):
        raise FloatingPointError(f"step {step}: an objective is not finite: {values}")


def _rate_at(progress: float, decay: float) -> float:
    """Return the factor of the learning rate: 1, then a half cosine over the last ``decay``."""
    if decay == 0 or progress <= 1 - decay:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - (1 - decay)) / decay))


def uses_bfloat16(precision: Precision) -> bool:
    """Return whether the networks run in bfloat16 on the chosen device."""
    return runs_in_bfloat16(chosen_device(), precision)

"""Plain supervised training, for the demo teacher and the attribute reader."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from glance_pipeline.images.form import to_float
from glance_pipeline.support.compute import chosen_device
from glance_pipeline.twin.networks.layers import channels_last


@dataclass(frozen=True, eq=False)
class Examples:
    """What a network learns from.

    Attributes:
        images: uint8 (N, C, H, W).
        targets: (N, …).
        weights: weights of the rows in the loss, (N,), mean 1; None weights all the same.
    """

    images: np.ndarray
    targets: Tensor
    weights: Tensor | None = None


class Schedule(Protocol):
    """Parameters that say how long and how fast a network is trained."""

    @property
    def steps(self) -> int:
        """Steps of the optimiser."""

    @property
    def batch_size(self) -> int:
        """Images per step, drawn with replacement."""

    @property
    def learning_rate(self) -> float:
        """The rate of the first step."""


def train_supervised(
    name: str,
    network: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    examples: Examples,
    schedule: Schedule,
    generator: torch.Generator,
    *,
    shift: int = 0,
) -> None:
    """Train ``network`` in place by Adam, the rate falling to 0 as a half cosine.

    It is trained on the chosen device, and on the CPU again when it is done.

    Args:
        name: what the progress bar says.
        network: maps float images (B, C, H, W) in [−1, 1] to predictions (B, …).
        loss: of predictions and targets, a value for each row (B,).
        examples: what it learns from.
        schedule: steps, batch size and learning rate.
        generator: source of every draw.
        shift: images are moved by up to so many pixels in each direction.

    Raises:
        FloatingPointError: if the loss is no longer finite.
    """
    device = chosen_device()
    channels_last(network).to(device).train()
    images, targets, weights = examples.images, examples.targets, examples.weights
    steps = schedule.steps
    optimiser = torch.optim.Adam(network.parameters(), schedule.learning_rate, fused=True)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
    )
    for _ in tqdm(range(steps), desc=name, unit="step"):
        rows = torch.randint(len(images), (schedule.batch_size,), generator=generator)
        batch = to_float(images[rows.numpy()]).to(device)
        if shift:
            moves = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
            batch = torch.roll(batch, moves, dims=(2, 3))
        each = loss(network(batch), targets[rows].to(device))
        total = (each if weights is None else each * weights[rows].to(device)).mean()
        if not math.isfinite(float(total.detach())):
            raise FloatingPointError(f"{name}: the loss is not finite")
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()
        rate.step()
    network.cpu().eval()

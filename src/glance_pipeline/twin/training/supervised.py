"""Plain supervised training, for the demo teacher and the attribute reader."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from glance_pipeline.images.form import to_float
from glance_pipeline.support.compute import chosen_device
from glance_pipeline.twin.networks.layers import channels_last


def train_supervised(
    name: str,
    network: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    images: np.ndarray,
    targets: Tensor,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    weights: Tensor | None = None,
    shift: int = 0,
) -> None:
    """Train ``network`` in place by Adam, the rate falling to 0 as a half cosine.

    It is trained on the chosen device, and on the CPU again when it is done.

    Args:
        name: what the progress bar says.
        network: maps float images (B, C, H, W) in [−1, 1] to predictions (B, …).
        loss: of predictions and targets, a value for each row (B,).
        images: uint8 (N, C, H, W).
        targets: (N, …).
        steps: optimiser steps.
        batch_size: images a step, drawn with replacement.
        learning_rate: at the start.
        generator: source of every draw.
        weights: of the rows in the loss, (N,), mean 1; None weights all the same.
        shift: images are moved by up to so many pixels in each direction.

    Raises:
        FloatingPointError: where the loss is no longer finite.
    """
    device = chosen_device()
    channels_last(network).to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
    )
    for _ in tqdm(range(steps), desc=name, unit="step"):
        rows = torch.randint(len(images), (batch_size,), generator=generator)
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
        schedule.step()
    network.cpu().eval()

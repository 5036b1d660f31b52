"""Exponential moving average of weights (Karras et al. 2018, arXiv 1710.10196, §7)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, update_bn


@torch.no_grad()
def update_average(average: nn.Module, current: nn.Module, decay: float) -> None:
    """Move every parameter of ``average`` by 1 − ``decay`` towards that of ``current``.

    Args:
        average: holds the average; same architecture as ``current``.
        current: the network in training.
        decay: 0 copies, 1 keeps.
    """
    move = get_ema_multi_avg_fn(decay)
    move(list(average.parameters()), list(current.parameters()), 1)
    for mean, buffer in zip(average.buffers(), current.buffers(), strict=True):
        mean.copy_(buffer)


def decay_of(half_life_images: float, batch: int, step: int) -> float:
    """Return the decay of one step, with a half-life that grows with the first steps.

    Args:
        half_life_images: images after which a weight counts half.
        batch: images per step.
        step: steps done so far; early on the half-life is 5 % of the images seen.
    """
    half_life = min(half_life_images, 0.05 * max(step, 1) * batch)
    return 0.5 ** (batch / max(half_life, 1e-8))


def refresh_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Measure the batch statistics of averaged weights anew, on ``batches`` of real images.

    Those that were gathered in training belong to other weights, and to generated images as well
    (Izmailov et al. 2018, arXiv 1803.05407, §3.2).
    """
    update_bn(batches, network, next(network.parameters()).device)
    network.eval()

"""What a network remembers of the images that it was trained with: in its batch normalisations."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def remembers(network: nn.Module) -> bool:
    """Say whether a network has batch normalisations with statistics of their own."""
    return bool(_layers(network))


@contextmanager
def distances(network: nn.Module) -> Iterator[list[float]]:
    """Note how far what batch normalisations see is from what they saw in training.

    Yields:
        The mean Kullback-Leibler divergence of normal distributions with both means and variances,
        nats a channel, of each layer and batch that passes meanwhile.
    """
    noted: list[float] = []

    def note(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        seen = inputs[0].detach().transpose(0, 1).flatten(1).double()
        variance = layer.running_var.double().clamp_min(layer.eps)
        ratio = seen.var(1).clamp_min(layer.eps) / variance
        shift = (seen.mean(1) - layer.running_mean) ** 2 / variance
        noted.append(float(0.5 * (ratio + shift - 1 - torch.log(ratio)).mean()))

    handles = [layer.register_forward_pre_hook(note) for layer in _layers(network)]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()


def _layers(network: nn.Module) -> list[nn.Module]:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d)
    return [
        part
        for part in network.modules()
        if isinstance(part, kinds) and part.running_mean is not None
    ]

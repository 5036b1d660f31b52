"""What a teacher is like before anything explains it: how hard to follow it is."""

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.architectures.configuration import Configuration
from benchmarks.architectures.material import Material
from benchmarks.architectures.training import accuracy
from glance_pipeline.images.form import in_batches, to_float, to_uint8
from glance_pipeline.support.seeding import torch_generator

NOISE = 0.05
"""Standard deviation of the noise, images in [−1, 1]: about 6 of 256 grey levels."""


def judge_alone(
    network: nn.Module, material: Material, configuration: Configuration, seed: int
) -> dict[str, float]:
    """Measure a trained network on the images that the agreement is measured on later.

    Args:
        network: the teacher's, in evaluation mode.
        material: everything that is drawn.
        configuration: configuration of the benchmark.
        seed: seed of the run.

    Returns:
        ``accuracy`` and ``train_accuracy``: shares of held-out and of its own training images, with
        the shortcut, that get their label; ``told_by_shortcut``: share of held-out images without
        it that are answered by the side of its mean that the planted feature lies on;
        ``noise_flips`` and ``steepness``: see the functions of those names.
    """
    digits = material.drawn.digits
    rows = digits.rows_of("test")
    images = digits.images[rows]
    feature = digits.context[configuration.shortcut.feature].to_numpy()
    return {
        "accuracy": accuracy(network, material.test),
        "train_accuracy": accuracy(network, material.train),
        "told_by_shortcut": float(
            (_answers(network, images) == (feature > feature.mean())[rows]).mean()
        ),
        "noise_flips": noise_flips(
            network, images, torch_generator(seed, "architectures", "noise")
        ),
        "steepness": steepness(network, images),
    }


def noise_flips(network: nn.Module, images: np.ndarray, generator: torch.Generator) -> float:
    """Return the share of images that are answered otherwise under a little noise.

    Args:
        network: images (N, 1, H, W) in [−1, 1] to logits (N, 2).
        images: uint8 (N, 1, H, W); with Gaussian noise of ``NOISE`` they are rounded to 8 bits.
        generator: generator of the noise.
    """
    noise = NOISE * torch.randn(images.shape, generator=generator)
    noisy = to_uint8((to_float(images) + noise).clamp(-1, 1))
    return float((_answers(network, noisy) != _answers(network, images)).mean())


def steepness(network: nn.Module, images: np.ndarray) -> float:
    """Return the mean length of the gradient of the margin, in its own standard deviations.

    It is what a change of the image of length 1 (pixels in [−1, 1]) does to the difference of the
    two logits, to first order, measured by how far that difference varies over the images.

    Args:
        network: images (N, 1, H, W) in [−1, 1] to logits (N, 2).
        images: uint8 (N, 1, H, W).
    """
    margins, lengths = [], []
    for batch in in_batches(images):
        shown = batch.requires_grad_()
        margin = _margin(network, shown)
        (gradient,) = torch.autograd.grad(margin.sum(), shown)
        margins.append(margin.detach())
        lengths.append(gradient.flatten(1).norm(dim=1))
    return float(torch.cat(lengths).mean() / torch.cat(margins).std())


@torch.no_grad()
def _answers(network: nn.Module, images: np.ndarray) -> np.ndarray:
    return torch.cat([_margin(network, batch) > 0 for batch in in_batches(images)]).numpy()


def _margin(network: nn.Module, images: Tensor) -> Tensor:
    logits = network(images)
    return logits[:, 1] - logits[:, 0]

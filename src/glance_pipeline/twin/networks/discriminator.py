"""The critics: StyleGAN2's residual discriminator for images, a small one for features."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from glance_pipeline.twin.networks.layers import Convolution, Linear, minibatch_standard_deviation
from glance_pipeline.twin.networks.sizes import check_widths


class ResidualBlock(nn.Module):
    """Two convolutions beside a linear skip path, to half the resolution (Karras et al. 2020)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Convolution(inputs, inputs, 3)
        self.second = Convolution(inputs, outputs, 3, down=True)
        self.skip = Convolution(inputs, outputs, 1, down=True, activate=False, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/2, W/2); the sum keeps unit variance."""
        return (self.second(self.first(x)) + self.skip(x)) * math.sqrt(0.5)


class ResidualTrunk(nn.Module):
    """From an image to features at 4×4, by residual blocks.

    Args:
        resolution: height and width of the images.
        image_channels: 1 or 3.
        widths: feature channels at 4, 8, …, ``resolution``, as the generator has them.
    """

    def __init__(self, resolution: int, image_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        check_widths(resolution, widths)
        falling = widths[::-1]
        self.from_image = Convolution(image_channels, falling[0], 1)
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in pairwise(falling)))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to features (N, widths[0], 4, 4)."""
        return self.blocks(self.from_image(images))


class Discriminator(nn.Module):
    """Residual discriminator with minibatch standard deviation: one logit per image."""

    def __init__(self, resolution: int, image_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        width = widths[0]
        self.trunk = ResidualTrunk(resolution, image_channels, widths)
        self.last = Convolution(width + 1, width, 3)
        self.head = nn.Sequential(Linear(width * 16, width, activate=True), Linear(width, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return how real each image looks, (N,), as a logit."""
        return self.judge(minibatch_standard_deviation(self.trunk(images)))

    def judge(self, features: Tensor) -> Tensor:
        """Return logits (N,) of features (N, widths[0] + 1, 4, 4), each image by itself."""
        return self.head(self.last(features).flatten(1)).squeeze(1)


class FeatureDiscriminator(nn.Module):
    """Tells the teacher's features φ(x) from the student's H(u): three layers, one logit."""

    def __init__(self, features: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Linear(features, width, activate=True),
            Linear(width, width, activate=True),
            Linear(width, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return how much each row of ``features`` (N, F) looks like the teacher's, (N,)."""
        return self.layers(features).squeeze(1)


def r1_penalty(critic: nn.Module, real: Tensor) -> Tensor:
    """R1: the mean of ‖∇D(x)‖² over real data (Mescheder et al. 2018, arXiv 1801.04406, eq. 9).

    Args:
        critic: maps ``real`` to logits (N,).
        real: images (N, C, H, W) or features (N, F).

    Returns:
        A scalar, without the factor γ/2.
    """
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()

"""From images in [−1, 1] to what a network takes: size, colour, normalisation."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glance_pipeline.classifiers.specification import ClassifierSpecification

_LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue, ITU-R BT.601."""


class Entrance(nn.Module):
    """Brings images to a network's size, colour and range; gradients flow through.

    Args:
        specification: specification of the network.
    """

    mean: Tensor
    std: Tensor
    luminance: Tensor

    def __init__(self, specification: ClassifierSpecification) -> None:
        super().__init__()
        self.fit = specification.fit
        self.size = specification.network_shape[1:]
        self.colour = specification.colour
        self.register_buffer("mean", torch.tensor(specification.mean).view(1, -1, 1, 1), False)
        self.register_buffer("std", torch.tensor(specification.std).view(1, -1, 1, 1), False)
        self.register_buffer("luminance", torch.tensor(_LUMINANCE).view(1, 3, 1, 1), False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [−1, 1] to the network's input (N, C′, H′, W′)."""
        images = images.add(1.0).div(2.0)
        if images.shape[2:] != self.size:
            images = self._fitted(images)
        return (self._coloured(images) - self.mean) / self.std

    def _fitted(self, images: Tensor) -> Tensor:
        if self.fit == "resize":
            return F.interpolate(
                images, self.size, mode="bilinear", antialias=True, align_corners=False
            )
        spare = [have - want for have, want in zip(images.shape[2:], self.size, strict=True)]
        if self.fit == "crop":
            top, left = (max(0, s) // 2 for s in spare)
            return images[:, :, top : top + self.size[0], left : left + self.size[1]]
        if self.fit == "pad":
            above, left = (-s // 2 for s in spare)
            return F.pad(images, (left, -spare[1] - left, above, -spare[0] - above))
        return images

    def _coloured(self, images: Tensor) -> Tensor:
        if self.colour == "rgb" and images.shape[1] == 1:
            return images.expand(-1, 3, -1, -1)
        if self.colour == "bgr":
            return images.flip(1)
        if self.colour == "grey" and images.shape[1] == 3:
            return (images * self.luminance).sum(1, keepdim=True)
        return images

"""The demo teacher: a small CNN that stands in for the user's model."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


class DemoClassifier(nn.Module):
    """Three 3×3 convolutions with batch normalisation and pooling, two linear layers.

    Args:
        channels: channels of the images, 1 or 3.
        size: height and width of the images, a multiple of 8.
        classes: number of logits.
        width: channels of the first convolution; the later ones have two and four times as many.
        features: width of the penultimate layer.

    Attributes:
        arguments: all of the above; saved beside the weights, to build it again with.
    """

    def __init__(
        self,
        channels: int = 1,
        size: int = 32,
        classes: int = 10,
        width: int = 16,
        features: int = 64,
    ) -> None:
        super().__init__()
        self.arguments = {
            "channels": channels,
            "size": size,
            "classes": classes,
            "width": width,
            "features": features,
        }
        widths = (channels, width, 2 * width, 4 * width)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:])
        self.hidden = nn.Linear(4 * width * (size // 8) ** 2, features)
        self.logits = nn.Linear(features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, classes)."""
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.max_pool2d(F.relu(norm(convolution(x))), 2)
        return self.logits(F.relu(self.hidden(x.flatten(1))))

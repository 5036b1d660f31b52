"""The trunk through which student and attribute reader look: a plain convolutional network."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glance_pipeline.twin.networks.sizes import check_widths


class ConvolutionalTrunk(nn.Module):
    """A 3×3 convolution with batch normalisation and ReLU at every resolution down to 4×4.

    It gives out the mean of each channel at each resolution beside the last 4×4 features: how
    much of something there is, and where. Batch normalisation matters: without it (as in the
    discriminator's trunk) a reader of the digits trains slowly, and reads thickness off intensity.

    Args:
        resolution: height and width of the images.
        image_channels: 1 or 3.
        widths: feature channels at 4, 8, …, ``resolution``.
    """

    def __init__(self, resolution: int, image_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        check_widths(resolution, widths)
        falling = widths[::-1]
        inputs = (image_channels, *falling[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, width, 3, padding=1, bias=False)
            for before, width in zip(inputs, falling, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in falling)
        self.outputs = sum(widths) + 16 * widths[0]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [−1, 1] to features (N, ``outputs``)."""
        x = images
        means: list[Tensor] = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            if means:
                x = F.avg_pool2d(x, 2)
            x = F.relu(norm(convolution(x)))
            means.append(x.mean((2, 3)))
        return torch.cat([*means, x.flatten(1)], 1)

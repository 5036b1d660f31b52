"""Networks that mix space and channels apart, by depthwise convolutions: MobileNet, ConvNeXt."""

import torch
from torch import Tensor, nn


class InvertedResidual(nn.Module):
    """Narrow, wide, narrow: expanded by 1×1, filtered depthwise by 3×3, projected linearly.

    Args:
        taken: channels of the input.
        width: channels of the output.
        stride: of the depthwise convolution.
        expansion: how many times wider it is inside.
    """

    def __init__(self, taken: int, width: int, stride: int, expansion: int = 4) -> None:
        super().__init__()
        inside = taken * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(taken, inside, 1, bias=False),
            nn.BatchNorm2d(inside),
            nn.ReLU6(),
            nn.Conv2d(inside, inside, 3, stride, padding=1, groups=inside, bias=False),
            nn.BatchNorm2d(inside),
            nn.ReLU6(),
            nn.Conv2d(inside, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.adds = stride == 1 and taken == width

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, taken, H, W) to (N, width, H / stride, W / stride)."""
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileNet(nn.Module):
    """Sandler et al. 2018, arXiv 1801.04381: MobileNetV2, with five inverted residuals.

    Args:
        classes: number of logits.
    """

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU6(),
            InvertedResidual(12, 12, 1),
            InvertedResidual(12, 16, 2),
            InvertedResidual(16, 16, 1),
            InvertedResidual(16, 24, 2),
            InvertedResidual(24, 24, 1),
            nn.Conv2d(24, 96, 1, bias=False),
            nn.BatchNorm2d(96),
            nn.ReLU6(),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(96, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.features(images).mean((2, 3)))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of maps (N, C, H, W), at each position by itself."""

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """A depthwise 7×7 convolution, layer norm, a wide 1×1 pair with GELU, a scale, and the input.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.mixing = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.scale = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of the shape of ``x`` (N, width, H, W)."""
        inside = self.norm(self.spatial(x).permute(0, 2, 3, 1))
        return x + (self.scale * self.mixing(inside)).permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """Liu et al. 2022, arXiv 2201.03545: patches of 4×4, two blocks at each of two resolutions.

    Args:
        classes: number of logits.
        widths: channels at 8 px and at 4 px.
    """

    def __init__(self, classes: int = 2, widths: tuple[int, int] = (32, 64)) -> None:
        super().__init__()
        first, second = widths
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 4, 4),
            ChannelNorm(first),
            ConvNeXtBlock(first),
            ConvNeXtBlock(first),
            ChannelNorm(first),
            nn.Conv2d(first, second, 2, 2),
            ConvNeXtBlock(second),
            ConvNeXtBlock(second),
        )
        self.norm = nn.LayerNorm(second)
        self.classifier = nn.Linear(second, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.norm(self.features(images).mean((2, 3))))

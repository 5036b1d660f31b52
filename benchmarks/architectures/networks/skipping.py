"""Networks in which layers are passed by: a ResNet adds, a DenseNet appends."""

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch normalisation, and the input added to what they give.

    Args:
        taken: channels of the input.
        width: channels of the output.
        stride: of the first convolution.
    """

    def __init__(self, taken: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(taken, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or taken != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(taken, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, taken, H, W) to (N, width, H / stride, W / stride)."""
        return torch.relu(self.residual(x) + self.shortcut(x))


class ResNet(nn.Module):
    """He et al. 2016, arXiv 1512.03385, §4.2, with one block at each of three resolutions.

    Args:
        classes: number of logits.
        widths: channels of the blocks.
    """

    def __init__(self, classes: int = 2, widths: tuple[int, ...] = (8, 16, 32)) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        taken = (widths[0], *widths[:-1])
        self.blocks = nn.Sequential(
            *(
                BasicBlock(before, width, 1 if index == 0 else 2)
                for index, (before, width) in enumerate(zip(taken, widths, strict=True))
            )
        )
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.blocks(self.stem(images)).mean((2, 3)))


class DenseLayer(nn.Module):
    """Normalised first, a 1×1 and a 3×3 convolution whose output is appended to the input.

    Args:
        taken: channels of the input.
        growth: channels that are appended.
    """

    def __init__(self, taken: int, growth: int) -> None:
        super().__init__()
        self.grown = nn.Sequential(
            nn.BatchNorm2d(taken),
            nn.ReLU(),
            nn.Conv2d(taken, 4 * growth, 1, bias=False),
            nn.BatchNorm2d(4 * growth),
            nn.ReLU(),
            nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, taken, H, W) to (N, taken + growth, H, W)."""
        return torch.cat([x, self.grown(x)], 1)


class DenseNet(nn.Module):
    """Huang et al. 2017, arXiv 1608.06993: DenseNet-BC, transitions that halve channels and size.

    Args:
        classes: number of logits.
        growth: channels that each layer appends.
        layers: layers of each of the three blocks.
    """

    def __init__(self, classes: int = 2, growth: int = 6, layers: int = 3) -> None:
        super().__init__()
        width = 2 * growth
        parts: list[nn.Module] = [nn.Conv2d(1, width, 3, 2, padding=1, bias=False)]
        for block in range(3):
            for _ in range(layers):
                parts.append(DenseLayer(width, growth))
                width += growth
            if block < 2:
                parts.append(_transition(width))
                width //= 2
        self.features = nn.Sequential(*parts, nn.BatchNorm2d(width), nn.ReLU())
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.features(images).mean((2, 3)))


def _transition(taken: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(taken),
        nn.ReLU(),
        nn.Conv2d(taken, taken // 2, 1, bias=False),
        nn.AvgPool2d(2),
    )

"""Networks whose layers follow one another: LeNet5 and a VGG."""

from torch import Tensor, nn


class LeNet5(nn.Module):
    """LeCun et al. 1998, "Gradient-based learning applied to document recognition", fig. 2.

    5×5 convolutions without padding, average pooling, tanh; the third convolution takes the whole
    5×5 map. Its first pooling has no weights of its own and its last layer is linear, as is usual
    by now.

    Args:
        classes: number of logits.
    """

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 120, 5),
            nn.Tanh(),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.features(images))


class VGG(nn.Module):
    """Simonyan and Zisserman 2015, arXiv 1409.1556: pairs of 3×3 convolutions, max pooling.

    No normalisation and no shortcut; dropout between the linear layers.

    Args:
        classes: number of logits.
        widths: channels of the pairs of convolutions.
    """

    def __init__(self, classes: int = 2, widths: tuple[int, ...] = (12, 24, 48)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        taken = 1
        for width in widths:
            for _ in range(2):
                layers += [nn.Conv2d(taken, width, 3, padding=1), nn.ReLU()]
                taken = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers, nn.Flatten())
        side = 32 // 2 ** len(widths)
        self.classifier = nn.Sequential(
            nn.Linear(taken * side**2, 64),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(64, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        return self.classifier(self.features(images))

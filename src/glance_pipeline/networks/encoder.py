"""The student: an encoder E: x → (u, n) with heads h(u) ≈ f(x) and H(u) ≈ φ(x)."""

from torch import Tensor, nn

from glance_pipeline.networks.layers import Linear
from glance_pipeline.networks.trunk import ConvolutionalTrunk


class Encoder(nn.Module):
    """Infer a code (N, code) from images: a convolutional trunk and a linear exit."""

    def __init__(
        self, code: int, resolution: int, image_channels: int, widths: tuple[int, ...], width: int
    ) -> None:
        super().__init__()
        self.trunk = ConvolutionalTrunk(resolution, image_channels, widths)
        self.hidden = Linear(self.trunk.outputs, width, activate=True)
        self.exit = Linear(width, code)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [−1, 1] to codes (N, code)."""
        return self.exit(self.hidden(self.trunk(images)))


class StudentHead(nn.Module):
    """Heads on the concept code: class logits h(u) and the teacher's features H(u)."""

    def __init__(self, concepts: int, classes: int, features: int, width: int) -> None:
        super().__init__()
        self.entry = Linear(concepts, width, activate=True)
        self.hidden = Linear(width, width, activate=True)
        self.to_logits = Linear(width, classes)
        self.to_features = Linear(width, features)

    def forward(self, concepts: Tensor) -> tuple[Tensor, Tensor]:
        """Map concept codes (N, L) to logits (N, K) and features (N, F)."""
        x = self.hidden(self.entry(concepts))
        return self.to_logits(x), self.to_features(x)

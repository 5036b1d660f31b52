"""The student: an encoder E: x → (u, n) with heads h(u) ≈ f(x) and H(u) ≈ φ(x)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from glance_pipeline.twin.networks.layers import Linear
from glance_pipeline.twin.networks.trunk import ConvolutionalTrunk


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


class AnswerScale(NamedTuple):
    """Mean and standard deviation of a teacher's answers to the training images.

    A teacher that answers with numbers has them in units of its own. The student learns them in
    standard deviations, whatever those units are.

    Attributes:
        logits: means and standard deviations, (2, K).
        features: likewise, (2, F).
    """

    logits: Tensor
    features: Tensor

    @classmethod
    def of(cls, logits: Tensor, features: Tensor) -> "AnswerScale":
        """Return the scale of answers to N images, (N, K) and (N, F); of what is constant, 1."""
        return cls(_mean_and_std(logits), _mean_and_std(features))


def _mean_and_std(columns: Tensor) -> Tensor:
    columns = columns.double()
    mean, std = columns.mean(0), columns.std(0, correction=0)
    rounding = 1e-6 * columns.abs().amax(0)
    return torch.stack([mean, torch.where(std > rounding, std, 1.0)]).float()


class StudentHead(nn.Module):
    """Heads on the concept code: the teacher's answer h(u) and its features H(u).

    Args:
        concepts: L.
        classes: K.
        features: F.
        width: width of the hidden layers.
        scale: scale of the teacher's answers; None if they are logits, which need none.
    """

    def __init__(
        self,
        concepts: int,
        classes: int,
        features: int,
        width: int,
        scale: AnswerScale | None = None,
    ) -> None:
        super().__init__()
        self.entry = Linear(concepts, width, activate=True)
        self.hidden = Linear(width, width, activate=True)
        self.to_logits = Linear(width, classes)
        self.to_features = Linear(width, features)
        self.logits_scale: Tensor | None
        self.features_scale: Tensor | None
        self.register_buffer("logits_scale", None if scale is None else scale.logits)
        self.register_buffer("features_scale", None if scale is None else scale.features)

    def forward(self, concepts: Tensor) -> tuple[Tensor, Tensor]:
        """Map concept codes (N, L) to logits (N, K) and features (N, F)."""
        x = self.hidden(self.entry(concepts))
        return (
            _in_units(self.to_logits(x), self.logits_scale),
            _in_units(self.to_features(x), self.features_scale),
        )


def _in_units(standardised: Tensor, scale: Tensor | None) -> Tensor:
    return standardised if scale is None else scale[0] + scale[1] * standardised

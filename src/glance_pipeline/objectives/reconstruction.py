"""Reconstruction: L1 in pixels and in the teacher's own features."""

import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.objectives.twin_pass import TwinPass


class Reconstruction:
    """mean |G(E(x)) − x| + ω · |φ(G(E(x))) − φ(x)|² / |φ(x)|².

    The second term is a perceptual loss on the features of the classifier that is explained, so
    that what it looks at is redrawn with the most care (GLANCE, docs/method.md; the idea of feature
    losses is that of Johnson et al. 2016, arXiv 1603.08155).

    Args:
        perceptual: ω, weight of the feature term beside the pixel term.
    """

    name = "reconstruction"

    def __init__(self, perceptual: float = 0.05) -> None:
        self.perceptual = perceptual

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch."""
        pixels = F.l1_loss(step.reconstruction, step.batch.images)
        return pixels + self.perceptual * relative_square_error(
            step.reconstruction_answer.features, step.batch.answer.features
        )


def relative_square_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Return Σ (found − wanted)² / Σ wanted², which no rescaling of the features changes."""
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(1e-8)

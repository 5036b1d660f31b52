"""Composition: an image that was drawn from a code is drawn again from the code read off it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Composition:
    """mean |G(E(x̂)) − x̂| over drawn images x̂, half reconstructions, half recombinations.

    The axiom of composition (Monteiro et al. 2023, arXiv 2303.01274, §4) as an objective: an
    intervention that changes nothing must give back the image, so G∘E must leave alone what G
    drew. x̂ is taken as given, without gradient.

    Args:
        share: share of the batch that is drawn again, since each image takes another pass.
    """

    name = "composition"

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch."""
        rows = max(1, round(len(step.batch.images) * self.share / 2))
        drawn = torch.cat([step.reconstruction[:rows], step.recombination[-rows:]]).detach()
        return F.l1_loss(step.surrogate.generate(step.surrogate.encode(drawn)).float(), drawn)

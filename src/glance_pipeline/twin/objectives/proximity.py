"""Proximity: an intervention changes the image no more than it must."""

import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Proximity:
    """mean over scales s of |P_s(G(u′, n)) − P_s(x)| on the rows whose concepts were moved.

    P_s averages s × s pixels. What a concept leaves unsaid (the shape of this very digit) may be
    drawn anew after a do and still satisfy the reader, the classifier and the critic: they hold
    that the image is one of its kind, not that it is the same one. Among all ways to move from one
    value to another, that with the least change is the counterfactual (De Lara et al. 2021,
    "Transport-based counterfactual models", arXiv 2108.13025; proximity in Mothilal et al. 2020,
    arXiv 1905.07697). Coarse scales let a stroke move a little at little cost.

    Args:
        scales: sizes of the windows, in pixels.
    """

    name = "proximity"

    def __init__(self, scales: tuple[int, ...] = (1, 2, 4, 8)) -> None:
        self.scales = scales

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where no row was intervened on."""
        drawn = step.recombination[step.swapped :]
        if not len(drawn):
            return drawn.sum()
        images = step.batch.images[step.swapped :]
        errors = [F.l1_loss(F.avg_pool2d(drawn, s), F.avg_pool2d(images, s)) for s in self.scales]
        return sum(errors[1:], errors[0]) / len(errors)

"""Variation predictability: what was moved in the code can be read back, and nothing else moved."""

from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class VariationPredictability:
    """Error of E(G(u′, n′)) for (u′, n′), mean over dimensions in units of their variance.

    Variation predictability (Zhu et al. 2020, arXiv 2007.12885) asks a classifier which dimension
    was moved; here the student itself is asked for the whole code, in units of its own variance,
    so that stretching the code does not help. To the gradient that variance is a constant: it
    pulls the code a little towards a smaller scale, which the other objectives hold. The residual
    code counts too: an image that is drawn from a code must lead back to it, or repeated encoding
    and drawing would drift (composition, docs: Method).

    Args:
        residual: weight of the residual code beside the concepts.
    """

    name = "variation_predictability"

    def __init__(self, residual: float = 0.5) -> None:
        self.residual = residual

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar over all recombined rows."""
        found, wanted, codes = step.recombination_encoding, step.recombined_codes, step.codes
        return relative_error(
            found.concepts, wanted.concepts, codes.concepts
        ) + self.residual * relative_error(found.residual, wanted.residual, codes.residual)


def relative_error(found: Tensor, wanted: Tensor, reference: Tensor) -> Tensor:
    """Return the mean squared error over the variance of ``reference``, all (N, dimensions)."""
    variance = reference.detach().var(0).clamp_min(1e-6)
    return ((found - wanted).square().mean(0) / variance).mean()

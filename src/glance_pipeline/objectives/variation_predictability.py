"""Variation predictability: what was moved in the code can be read back, and nothing else moved."""

from torch import Tensor

from glance_pipeline.objectives.twin_pass import TwinPass


class VariationPredictability:
    """Mean over concepts of (E(G(u′, n)) − u′)² / Var(u), after interventions on u.

    Variation predictability (Zhu et al. 2020, arXiv 2007.12885) asks a classifier which dimension
    was moved; here the student itself is asked for the whole code, in units of its own variance,
    so that shrinking the code does not help; and to the gradient that variance is a constant, so
    that stretching it does not either.
    """

    name = "variation_predictability"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar over all recombined rows."""
        found = step.recombination_encoding.concepts
        wanted = step.recombined_codes.concepts
        variance = step.codes.concepts.detach().var(0).clamp_min(1e-6)
        return ((found - wanted).square().mean(0) / variance).mean()

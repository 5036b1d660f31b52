"""Sufficiency: the concept code is all that the classifier uses."""

from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Sufficiency:
    """KL(f(x) ‖ f(G(u, n′))) with n′ the residual code of another image (docs: Method).

    Only rows whose residual was swapped and whose concepts were not touched take part.
    """

    name = "sufficiency"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where no row was swapped."""
        if step.swapped == 0:
            return step.recombination_answer.logits.sum() * 0.0
        rows = slice(0, step.swapped)
        return step.task.divergence(
            step.batch.answer.logits[rows], step.recombination_answer.logits[rows]
        )

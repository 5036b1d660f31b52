"""Intervention consistency: after a do, image, reader and classifier say what the code says."""

from torch import Tensor

from glance_pipeline.twin.objectives.feature_error import mean_feature_error
from glance_pipeline.twin.objectives.twin_pass import TwinPass


class InterventionConsistency:
    """mean (A(G(u′, n′)) − u′_j)² over the aligned concepts, A the frozen attribute reader.

    A binary or categorical feature is compared by cross-entropy with the intended level
    (``feature_error.py``).

    Every row of the recombination takes part: a swap of residuals must leave the context features
    where the concepts have them just as an intervention must move them (docs: Method).
    """

    name = "intervention_consistency"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch.

        Raises:
            ValueError: if the step has no attribute reader.
        """
        if step.reader is None:
            raise ValueError("intervention_consistency: this step has no attribute reader")
        count = step.aligned
        wanted = step.recombined_codes.concepts[:, :count].detach()
        return mean_feature_error(step.reading[:, :count], wanted, step.surrogate.concepts)


class InterventionAnswer:
    """KL(h(u′) ‖ f(G(u′, n))) on intervened rows, gradients to both sides."""

    name = "intervention_answer"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where no row was intervened on."""
        found = step.recombination_answer.logits[step.swapped :]
        if not len(found):
            return found.sum()
        predicted = step.surrogate.predict(step.recombined_codes[slice(step.swapped, None)]).float()
        return step.task.divergence(predicted, found)

"""Alignment: the first concepts are the context features."""

from torch import Tensor

from glance_pipeline.twin.objectives.feature_error import mean_feature_error
from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Alignment:
    """Mean error of the aligned concepts against the standardised context features.

    A continuous feature's error is (u_j − c_j)²; the other kinds' are cross-entropies, and images
    without a value take no part (``feature_error.py``).
    """

    name = "alignment"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch.

        Raises:
            ValueError: if the batch carries no context.
        """
        context = step.batch.context
        if context is None:
            raise ValueError("alignment: the batch carries no context features")
        found = step.codes.concepts[:, : context.shape[1]]
        return mean_feature_error(found, context, step.surrogate.concepts)

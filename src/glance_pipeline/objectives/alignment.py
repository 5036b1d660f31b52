"""Alignment: the first concepts are the context features."""

from torch import Tensor

from glance_pipeline.objectives.twin_pass import TwinPass


class Alignment:
    """mean (u_j − c_j)² over the aligned concepts, c_j the standardised context feature."""

    name = "alignment"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch.

        Raises:
            ValueError: where the batch carries no context.
        """
        context = step.batch.context
        if context is None:
            raise ValueError("alignment: the batch carries no context features")
        return (step.codes.concepts[:, : context.shape[1]] - context).square().mean()

"""Orthogonal Jacobian regularisation: no two concepts change the image in the same way."""

from collections.abc import Callable

import torch
from torch import Tensor

from glance_pipeline.twin.objectives.derivatives.activations import GeneratorPenalty, rademacher


def orthogonal_jacobian(
    function: Callable[[Tensor], list[Tensor]],
    inputs: Tensor,
    step: Tensor,
    directions: int,
    generator: torch.Generator,
    epsilon: float,
) -> Tensor:
    """Return the mean over outputs and rows of Var_v[‖Jv‖² / D], from ``directions`` draws of v.

    D is the number of elements of an output: a large array does not count for more than a small.

    Args:
        function: maps (N, L) to a list of arrays (N, …).
        inputs: where the Jacobian is taken, (N, L).
        step: length of the difference along each input, (L,).
        directions: number of Rademacher directions, at least 2.
        generator: source of the directions.
        epsilon: what the first difference is divided by.
    """
    moves = rademacher(directions, inputs.shape[1], generator).to(step.device) * step
    points = torch.cat([inputs[None], inputs + moves])
    outputs = function(points.flatten(0, 1))
    total = inputs.new_zeros(())
    for output in outputs:
        output = output.unflatten(0, (len(points), len(inputs)))
        along = (output[1:] - output[:1]) / epsilon
        total = total + along.square().flatten(2).mean(2).var(0, unbiased=True).mean()
    return total / len(outputs)


class OrthogonalJacobian(GeneratorPenalty):
    """Mean squared off-diagonal of JᵀJ, with J the Jacobian of G's activations with respect to u.

    OroJaR (Wei et al. 2021, arXiv 2108.08671): the columns ∂G/∂u_i and ∂G/∂u_j, i ≠ j, are to be
    orthogonal at every layer. Hutchinson's estimate takes Rademacher directions v: the variance
    of vᵀJᵀJv = ‖Jv‖² equals twice the sum of the squared off-diagonal entries of JᵀJ. Jv is a
    forward first difference. Unlike the Hessian penalty it also holds for a layer that is linear
    in u. The activations are those of ``GeneratorActivations``.

    It takes 1 + directions passes; the arguments are those of ``GeneratorPenalty``.
    """

    name = "orojar"
    estimate = staticmethod(orthogonal_jacobian)

    def __init__(self, rows: int = 12, directions: int = 3, epsilon: float = 0.1) -> None:
        super().__init__(rows, directions, epsilon)

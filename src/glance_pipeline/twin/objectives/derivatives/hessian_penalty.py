"""Hessian penalty: dimensions of the concept code act on the image independently."""

from collections.abc import Callable

import torch
from torch import Tensor

from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.objectives.derivatives.activations import GeneratorPenalty, rademacher


def hessian_penalty(
    function: Callable[[Tensor], list[Tensor]],
    inputs: Tensor,
    step: Tensor,
    directions: int,
    generator: torch.Generator,
    epsilon: float,
) -> Tensor:
    """Return the mean over outputs of Var_v[vᵀHv], from ``directions`` draws of v.

    Args:
        function: maps (N, L) to a list of arrays (N, …).
        inputs: where the Hessian is taken, (N, L).
        step: length of the difference along each input, (L,).
        directions: number of Rademacher directions, at least 2.
        generator: source of the directions.
        epsilon: what the second difference is divided by, squared.
    """
    moves = rademacher(directions, inputs.shape[1], generator).to(step.device) * step
    points = torch.cat([inputs[None], inputs + moves, inputs - moves])
    outputs = function(points.flatten(0, 1))
    total = inputs.new_zeros(())
    for output in outputs:
        output = output.unflatten(0, (len(points), len(inputs)))
        plus, minus = output[1 : 1 + directions], output[1 + directions :]
        second = (plus - 2 * output[:1] + minus) / epsilon**2
        total = total + second.var(0, unbiased=True).mean()
    return total / len(outputs)


class HessianPenalty(GeneratorPenalty):
    """Mean squared off-diagonal of the Hessian of G's activations with respect to u.

    Peebles et al. 2020 (arXiv 2008.10599), eq. 5: the variance over Rademacher directions v of
    the second directional derivative vᵀHv equals twice the sum of the squared off-diagonal
    entries. The derivative is a central second difference. The activations are those of
    ``GeneratorActivations``.

    It takes 1 + 2·directions passes; the arguments are those of ``GeneratorPenalty``.
    """

    name = "hessian_penalty"
    estimate = staticmethod(hessian_penalty)

    def __init__(self, rows: int = 12, directions: int = 2, epsilon: float = 0.2) -> None:
        super().__init__(rows, directions, epsilon)


def effect_of_each_concept(generate: Callable[[Codes], Tensor], codes: Codes) -> Tensor:
    """Return how far each concept moves the image, mean |ΔG| per standard deviation, (L,)."""
    scale = codes.concepts.std(0)
    base = generate(codes)
    effects = []
    for index in range(codes.concepts.shape[1]):
        moved = codes.concepts.clone()
        moved[:, index] += scale[index]
        effects.append((generate(Codes(moved, codes.residual)) - base).abs().mean())
    return torch.stack(effects)

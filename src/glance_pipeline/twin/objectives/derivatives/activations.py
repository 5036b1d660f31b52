"""The generator as a function of the concept code alone, and regularisers of its derivatives."""

from typing import ClassVar

import torch
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class GeneratorActivations:
    """G's activations at every resolution and the image, as functions of u with n held.

    Each array is divided by its own standard deviation, so that shrinking it does not shrink a
    penalty on its derivatives. The codes are detached: a penalty is to change how the generator
    acts on the codes, not move the codes to where it acts more simply. All runs in float32, for
    in bfloat16 the rounding of nearby images is as large as what sets them apart (the Hessian
    penalty then reads about a tenth too high).

    Args:
        step: the batch and the surrogate.
        rows: the first so many images are looked at.

    Attributes:
        concepts: their u, float32 (rows, L), without gradient.
        scale: standard deviation of each concept over the whole batch, (L,), without gradient.
    """

    def __init__(self, step: TwinPass, rows: int) -> None:
        codes = step.codes[:rows]
        self.generator = step.surrogate.generator
        self.concepts = codes.concepts.detach().float()
        self.scale = step.codes.concepts.detach().float().std(0)
        self._residual = codes.residual.detach().float()

    def __call__(self, concepts: Tensor) -> list[Tensor]:
        """Return the activations (k·rows, C, H, W) of concepts (k·rows, L), coarse to fine."""
        copies = len(concepts) // len(self._residual)
        code = torch.cat([concepts, self._residual.repeat(copies, 1)], 1)
        with torch.autocast(code.device.type, enabled=False):
            return [normalise(x) for x in self.generator.activations(code)]


class GeneratorPenalty:
    """A stochastic penalty on the derivatives of G's activations with respect to u.

    A kind of penalty says by ``estimate`` how it is computed: from the activations as a function,
    the codes, the step along each dimension, ``directions``, the source of draws and ``epsilon``.

    Args:
        rows: images of the batch it is computed on, since each takes a pass for every point.
        directions: k, number of Rademacher directions, at least 2.
        epsilon: step of the finite difference, in standard deviations of the code.
    """

    estimate: "ClassVar[staticmethod[..., Tensor]]"

    def __init__(self, rows: int, directions: int, epsilon: float) -> None:
        self.rows = rows
        self.directions = directions
        self.epsilon = epsilon

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch; its gradient reaches the generator alone."""
        activations = GeneratorActivations(step, self.rows)
        return type(self).estimate(
            activations,
            activations.concepts,
            activations.scale * self.epsilon,
            self.directions,
            step.generator,
            self.epsilon,
        )


def normalise(x: Tensor) -> Tensor:
    """Divide ``x`` by its own standard deviation."""
    return x / x.std().clamp_min(1e-6)


def rademacher(directions: int, inputs: int, generator: torch.Generator) -> Tensor:
    """Return ``directions`` vectors of −1 and 1 with equal chance, (directions, 1, inputs)."""
    return torch.randint(0, 2, (directions, 1, inputs), generator=generator) * 2 - 1

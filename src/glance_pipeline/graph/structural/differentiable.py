"""Mechanisms in torch, batched, with gradients from effects to causes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from glance_pipeline.graph.structural.mechanisms import SplineMechanism


@dataclass(frozen=True)
class TorchMechanism:
    """The same function as a ``SplineMechanism``, up to rounding, and its derivative.

    Attributes:
        knots: float64 (P, K), rising.
        polynomials: float64 (P, K + 1, 4), see ``SplineMechanism.polynomials``.
        intercept: intercept of the sum.
    """

    knots: Tensor
    polynomials: Tensor
    intercept: float

    @classmethod
    def of(cls, mechanism: SplineMechanism) -> "TorchMechanism":
        """Bring a fitted mechanism into torch."""
        return cls(
            torch.from_numpy(mechanism.knots.T.copy()),
            torch.from_numpy(mechanism.polynomials()),
            mechanism.intercept,
        )

    def __call__(self, causes: Tensor) -> Tensor:
        """Return the expected values, float64 (N,), for causes, float64 (N, P)."""
        columns = causes.T.contiguous()  # (P, N)
        piece = torch.searchsorted(self.knots, columns.detach(), right=True)
        anchor = self.knots.gather(1, (piece - 1).clamp_min(0))
        cause = torch.arange(len(columns))[:, None]
        third, second, first, none = self.polynomials[cause, piece].unbind(2)
        along = columns - anchor
        return (((third * along + second) * along + first) * along + none).sum(0) + self.intercept

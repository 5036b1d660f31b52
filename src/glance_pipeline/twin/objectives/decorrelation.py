"""Decorrelation: what is held is what the aligned concepts do not tell."""

from typing import Any

import torch
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass

MEMORY = 0.97
"""Share of the averaged covariance that stays at each step: an average over about 33 batches."""


class Decorrelation:
    """Squared correlations that ought to be zero: of what is held with what is moved.

    Latent concepts and residual code are to be uncorrelated with what each aligned concept has of
    its own beside measured properties (``basis/accompanying.py``), the residual code with the
    latent concepts, and the latent concepts with each other, over images weighted as if the context
    features were independent. A batch is too small for a covariance, so the one that
    counts is a running average, through whose newest part gradients go.
    """

    name = "decorrelation"

    def __init__(self) -> None:
        self.mean: Tensor | None = None
        self.covariance: Tensor | None = None

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch: the mean square of those correlations."""
        codes, count = step.codes, step.aligned
        told = codes.concepts[:, :count].detach()
        if step.batch.told_beside is not None:
            told = told - step.batch.told_beside
        code = torch.cat([told, codes.concepts[:, count:], codes.residual], 1)
        weights = step.batch.weights
        share = torch.ones_like(code[:, 0]) if weights is None else weights.to(code)
        share = share / share.sum()
        mean = share @ code
        if self.mean is None or self.covariance is None:
            self.mean = mean.detach()
            self.covariance = torch.eye(code.shape[1], device=code.device)
        self.mean = self.mean.to(code.device).lerp(mean.detach(), 1 - MEMORY)
        centred = code - self.mean
        newest = centred.T @ (share[:, None] * centred)
        covariance = MEMORY * self.covariance.to(code.device) + (1 - MEMORY) * newest
        self.covariance = covariance.detach()
        scale = self.covariance.diagonal().clamp_min(1e-6).rsqrt()
        correlation = covariance * scale[:, None] * scale
        latents = step.surrogate.shape.concepts
        below = torch.ones_like(correlation).tril(-1)
        below[:, latents:] = 0  # residual dimensions may go together
        below[:count] = 0  # and so may aligned concepts
        # The newest batch has a small share of the average, and of its gradient.
        return (correlation.square() * below).sum() / below.sum().clamp_min(1) / (1 - MEMORY)

    def state_dict(self) -> dict[str, Any]:
        """Return the running averages."""
        return {"mean": self.mean, "covariance": self.covariance}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up running averages."""
        self.mean, self.covariance = state["mean"], state["covariance"]

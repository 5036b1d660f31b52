"""A step whose codes are given, for objectives that look at codes alone."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from glance_pipeline.twin.networks import Codes, Concept

CONCEPTS = (
    Concept("size", "aligned"),
    Concept("latent_1", "latent"),
    Concept("latent_2", "latent"),
)


def coded_step(code: Tensor, weights: Tensor | None = None, told: Tensor | None = None) -> Any:
    """Return a step whose code has one aligned concept, two latent ones and some residual code.

    Args:
        code: (B, 3 + R).
        weights: of the batch, (B,).
        told: what properties tell of the aligned concept, (B, 1).
    """
    return SimpleNamespace(
        surrogate=SimpleNamespace(concepts=CONCEPTS, shape=SimpleNamespace(concepts=3)),
        codes=Codes(code[:, :3], code[:, 3:]),
        batch=SimpleNamespace(weights=weights),
        aligned=1,
        own_part=code[:, :1] if told is None else code[:, :1] - told,
        generator=torch.Generator().manual_seed(len(code)),
    )

"""What goes with the aligned concepts by accident: measured properties that no feature tells.

Of thick digits with their mark on the right, half a latent code says the place of the mark and half
that there is a thick digit. Taking out of it what thickness tells would take the place of the mark
along, and do(thickness) would then move the mark. A regression on thickness and the measured place
together tells the two apart.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.context.watched import watch_measured

_RIDGE = 0.01
"""Penalty per image of the regression on properties, which leaves each concept at least that much
of its variance for its own."""

_FEW_IMAGES = 10.0
"""Penalty besides, in all: of few images a regression on many properties says little."""


@dataclass(frozen=True, eq=False)
class Accompanying:
    """The P properties of N training images that can be held while an aligned concept is moved.

    Attributes:
        properties: in standard deviations, float32 (N, P).
        held: bool (J, P); False where a property is bound to the concept and follows it.
    """

    properties: Tensor
    held: Tensor

    @classmethod
    def of(
        cls, properties: pd.DataFrame, context: Tensor, names: tuple[str, ...]
    ) -> "Accompanying":
        """Choose among measured properties those that the context features do not tell.

        Args:
            properties: of the training images, one row per image.
            context: standardised features of those images, (N, J), NaN where not known.
            names: of the features.
        """
        watched = watch_measured(properties, context.numpy(), names)
        scores = torch.as_tensor(watched.standardised(properties), dtype=torch.float32)
        return cls(scores, torch.as_tensor(np.asarray(watched.follows) == 0))

    def tell(self, codes: Tensor, weights: Tensor) -> Tensor:
        """Return what the properties tell of each aligned concept, (N, J), by ridge regression.

        Args:
            codes: of the aligned concepts, (N, J).
            weights: of the images, (N,).
        """
        share = weights.double() / weights.sum()
        properties = self.properties.double()
        properties = properties - share @ properties
        gram = properties.T @ (share[:, None] * properties)
        penalty = _RIDGE + _FEW_IMAGES / len(codes)
        gram += penalty * torch.eye(len(gram), dtype=gram.dtype)
        goes_with = properties.T @ (share[:, None] * codes.double())
        told = torch.zeros(codes.shape, dtype=torch.float64)
        for index, held in enumerate(self.held):
            if held.any():
                slopes = torch.linalg.solve(gram[held][:, held], goes_with[held, index])
                told[:, index] = properties[:, held] @ slopes
        return told

"""What goes with the aligned concepts by accident: measured properties that no feature tells.

Of thick digits with their mark on the right, half a latent code says the place of the mark and half
that there is a thick digit. Taking out of it what thickness tells would take the place of the mark
along, and do(thickness) would then move the mark. A regression on thickness and the measured place
together tells the two apart.

Other properties are what a feature does to the picture: with the area of the figure held, and the
other features, a thickness cannot be moved. Those that tell most of a feature follow it, until what
is held leaves the feature a share of its own.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import PolynomialFeatures
from torch import Tensor

from glance_pipeline.context.watched import watch_measured

LARGEST_TOLD = 0.7
"""Share at most that held properties may tell of what the other features leave open of a feature,
by linear regression: a mark whose place goes with thickness by 0.8 tells 0.64 of it."""

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
        features = np.nan_to_num(context.numpy().astype(np.float64))
        watched = watch_measured(properties, features, names)
        scores = watched.standardised(properties)
        held = np.stack(
            [
                holdable(features[:, j], np.delete(features, j, 1), scores, watched.follows[j] == 0)
                for j in range(features.shape[1])
            ]
        )
        return cls(torch.as_tensor(scores, dtype=torch.float32), torch.as_tensor(held))

    def tell(self, codes: Tensor, weights: Tensor) -> Tensor:
        """Return what the held properties tell of each aligned concept, (N, J).

        By ridge regression on the properties, their products in pairs and their cubes.

        Args:
            codes: of the aligned concepts, (N, J).
            weights: of the images, (N,).
        """
        share = (weights.double() / weights.sum()).numpy()
        told = torch.zeros(codes.shape, dtype=torch.float64)
        for index, held in enumerate(self.held):
            if held.any():
                terms = _terms(self.properties[:, held].double().numpy(), share)
                wanted = codes[:, index].double().numpy()
                told[:, index] = torch.as_tensor(_predicted(terms, wanted, share))
        return told


def holdable(
    feature: np.ndarray, others: np.ndarray, properties: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """Return which properties can be held, bool (P,), while a feature is moved by itself.

    The property without which the others tell least of the feature is left out, then the next,
    until they tell ``LARGEST_TOLD`` at most of what the other features leave open of it.

    Args:
        feature: (N,).
        others: the other features, (N, J − 1).
        properties: (N, P).
        candidates: bool (P,), those that may be held.
    """
    held = candidates.copy()
    columns = np.column_stack([feature, others, properties])
    centred = columns - columns.mean(0)
    gram = centred.T @ centred / len(columns)
    first = 1 + others.shape[1]

    def left_open(chosen: list[int]) -> float:
        by = [*range(1, first), *(first + k for k in chosen)]
        if not by:
            return float(gram[0, 0])
        slopes = np.linalg.pinv(gram[np.ix_(by, by)], hermitian=True, rcond=1e-8) @ gram[by, 0]
        return float(gram[0, 0] - gram[0, by] @ slopes)

    kept = np.flatnonzero(held).tolist()
    least = (1 - LARGEST_TOLD) * left_open([])
    while kept and left_open(kept) < least:
        without = [left_open([one for one in kept if one != k]) for k in kept]
        kept.pop(int(np.argmax(without)))
    held[:] = np.isin(np.arange(len(held)), kept)
    return held


def _terms(properties: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the terms of the regression, of weighted mean 0 and variance 1, (N, T)."""
    products = PolynomialFeatures(2, include_bias=False).fit_transform(properties)
    terms = np.column_stack([products, properties**3])
    terms -= share @ terms
    return terms / np.sqrt(share @ terms**2).clip(1e-6)


def _predicted(terms: np.ndarray, wanted: np.ndarray, share: np.ndarray) -> np.ndarray:
    penalty = _RIDGE + _FEW_IMAGES / len(terms)
    weighted = share[:, None] * terms
    gram = terms.T @ weighted + penalty * np.eye(terms.shape[1])
    slopes = np.linalg.solve(gram, weighted.T @ (wanted - share @ wanted))
    return np.asarray(terms @ slopes)

"""Measured properties that moving a context feature ought to leave where they are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glance_pipeline.context.determination import LARGEST, variance_told
from glance_pipeline.context.properties import measure_properties

FURTHEST = 4.0
"""Standard deviations from the mean at which a measured property is clipped."""

_LEAST_RANGE = 0.01
"""Range of a property, from the 5 % to the 95 % quantile, below which it is constant but for a few
images, and its standard deviation no measure of how far it was moved."""

FEWEST_IMAGES = 50
"""Images from which on it can be told which properties the features tell."""

_WITHIN_REACH = 2.0
"""Standard deviations, of what the features leave open of a property, that it may be away from
where one standard deviation of a feature usually takes it: such images are rare, but there are
some."""


@dataclass(frozen=True, eq=False)
class Watched:
    """The P properties that no context feature tells.

    Attributes:
        names: their names.
        mean: their means over the training images, (P,).
        std: their standard deviations, (P,).
        follows: standard deviations by which each follows one of each of J features, (J, P); 0
            where it can be held.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    follows: np.ndarray

    def measure(self, images: np.ndarray) -> np.ndarray:
        """Return the properties of uint8 images (N, C, H, W), standardised and clipped, (N, P)."""
        return self.standardised(measure_properties(images))

    def standardised(self, properties: pd.DataFrame) -> np.ndarray:
        """Return measured properties, standardised and clipped, (N, P); others are left out."""
        values = properties[list(self.names)].to_numpy()
        return np.clip((values - self.mean) / self.std, -FURTHEST, FURTHEST)


def watch(images: np.ndarray, context: np.ndarray, names: tuple[str, ...] = ()) -> Watched:
    """Measure images, uint8 (N, C, H, W), and do what ``watch_measured`` does."""
    return watch_measured(measure_properties(images), context, names)


def watch_measured(
    properties: pd.DataFrame, context: np.ndarray, names: tuple[str, ...] = ()
) -> Watched:
    """Choose the properties to watch, and say which of them may follow which feature.

    A property that goes with a feature by accident can be held while the feature is moved; one
    that is bound to it cannot: there are no images in which the one moved and the other stayed. The
    slope of the regression on all features, over what that regression leaves open, tells them
    apart.

    Args:
        properties: of the training images, one column for each.
        context: standardised features of those images, (N, J); what is NaN, not known, counts as
            the mean.
        names: names of the features; a property of the same name is not watched.
    """
    properties = properties.drop(columns=list(names), errors="ignore")
    told_by = pd.DataFrame(np.nan_to_num(context).astype(np.float64))
    shares = unnamed_properties(properties, told_by)
    chosen = properties[list(shares)]
    mean, std = chosen.mean().to_numpy(), chosen.std(ddof=0).to_numpy()
    scores = np.clip((chosen.to_numpy() - mean) / std, -FURTHEST, FURTHEST)
    centred = told_by.to_numpy() - told_by.to_numpy().mean(0)
    # The levels of a categorical feature add up: of all solutions the smallest.
    slopes = np.linalg.pinv(centred, rcond=1e-6) @ (scores - scores.mean(0))
    left_open = np.sqrt(1 - np.clip(list(shares.values()), 0, None))
    follows = np.where(np.abs(slopes) > _WITHIN_REACH * left_open, slopes, 0.0)
    return Watched(tuple(shares), mean, std, follows)


def unnamed_properties(properties: pd.DataFrame, told_by: pd.DataFrame) -> dict[str, float]:
    """Return the properties that vary and are not told, with the share of variance that is told.

    Args:
        properties: one column for each, one row per image.
        told_by: likewise, of what may tell them.
    """
    ranges = properties.quantile(0.95) - properties.quantile(0.05)
    varying = [str(name) for name in ranges.index[ranges >= _LEAST_RANGE]]
    shares = {name: variance_told(properties[name], told_by) for name in varying}
    return {name: share for name, share in shares.items() if share <= LARGEST}

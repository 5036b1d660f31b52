"""A concept: one dimension of the concept code, and what its values mean.

A continuous feature is one dimension. A binary feature is one dimension too: its code is the
standardised 0/1 column, and with the share b = u·std + mean, 0 for no and 1 for yes, its logit is
κ(2b − 1). A categorical feature of K levels is K dimensions, one for each level's standardised
0/1 column, whose shares add up to 1; its logits are (κ + ln(K − 1))·b_k. Either way a code that
equals a label stands for the probability σ(κ), and never for certainty, which no finite logit
gives: labels are smoothed (Szegedy et al. 2016, arXiv 1512.00567, §7), and codes keep the scale of
standardised features whatever the kind.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.special import expit, logit
from torch import Tensor

CERTAINTY = 4.0
"""κ: a code that equals its label stands for the probability σ(κ) = 0.982."""

Measure = Literal["continuous", "binary", "categorical"]


@dataclass(frozen=True)
class Concept:
    """One dimension of the concept code.

    Attributes:
        name: the context feature's name, ``<feature>=<level>`` for a level of a categorical one,
            or ``latent_1``, ``latent_2``, …
        kind: ``aligned`` with a context feature, or ``latent`` (unobserved).
        unit: unit of the context feature; empty for a latent concept.
        mean: value in units at a code of 0; of a binary feature or a level, its frequency.
        std: units to one step of the code.
        low: 1 % quantile of the code over the training images; of a binary feature or a level,
            the code of a clear no.
        high: 99 % quantile of the code over the training images; likewise of a clear yes.
        active: whether moving it changes the generated image; a pruned concept has no effect.
        measure: ``continuous``, ``binary``, or ``categorical`` for one level of such a feature.
        feature: the categorical feature that the level belongs to; empty for any other concept.
        levels: what no and yes stand for in a binary feature; the level's own name.
    """

    name: str
    kind: Literal["aligned", "latent"]
    unit: str = ""
    mean: float = 0.0
    std: float = 1.0
    low: float = -2.5
    high: float = 2.5
    active: bool = True
    measure: Measure = "continuous"
    feature: str = ""
    levels: tuple[str, ...] = ()

    def to_units(self, values: Any) -> Any:
        """Bring codes (numbers, arrays or tensors) into units; unless continuous, 0 … 1.

        For a level, the probability that it is this level and none of the others, by its own
        dimension alone; ``TwinSurrogate.probabilities`` compares the levels.
        """
        share = values * self.std + self.mean
        if self.measure == "continuous":
            return share
        logits = CERTAINTY * (2 * share - 1)
        return logits.sigmoid() if isinstance(logits, Tensor) else expit(logits)

    def standardise(self, values: Any) -> Any:
        """Bring values in units into codes; a probability no further than a label's code."""
        if self.measure != "continuous":
            least = 1 / (1 + math.exp(CERTAINTY))
            if isinstance(values, Tensor):
                logits = values.clamp(least, 1 - least).logit()
            else:
                logits = logit(np.clip(values, least, 1 - least))
            values = (logits / CERTAINTY + 1) / 2
        return (values - self.mean) / self.std

    def to_code(self, values: Any) -> Any:
        """Return the codes that ``to_units`` made arrays of float64 from, beyond a label's too."""
        if self.measure != "continuous":
            # From a share of 5 on a probability is 1 in float64.
            certain = np.finfo(np.float64).eps / 2
            values = (logit(np.clip(values, certain, 1 - certain)) / CERTAINTY + 1) / 2
        return (values - self.mean) / self.std

    def to_header(self) -> dict[str, Any]:
        """Return the fields for JSON; what only other kinds have is left out of a number's."""
        header = asdict(self)
        if self.measure == "continuous":
            for field in ("measure", "feature", "levels"):
                del header[field]
        return header

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> "Concept":
        """Read what ``to_header`` wrote, or a file from before there were kinds."""
        return cls(**{**header, "levels": tuple(header.get("levels", ()))})


def by_feature(concepts: Sequence[Concept]) -> dict[str, list[int]]:
    """Return which dimensions belong together: the levels of a feature, else each by itself.

    Returns:
        Positions in ``concepts`` by the feature's name, in order.
    """
    members: dict[str, list[int]] = {}
    for index, concept in enumerate(concepts):
        members.setdefault(concept.feature or concept.name, []).append(index)
    return members


def not_told_by_others(concepts: Sequence[Concept]) -> list[int]:
    """Return the dimensions that a context can vary by itself: all but each last level."""
    last = {members[-1] for members in by_feature(concepts).values() if len(members) > 1}
    return [index for index in range(len(concepts)) if index not in last]


def shares(codes: Tensor, concepts: Sequence[Concept]) -> Tensor:
    """Return b = u·std + mean, (N, K), of the codes (N, K) of K concepts."""
    std, mean = (
        torch.tensor([getattr(c, field) for c in concepts], dtype=codes.dtype, device=codes.device)
        for field in ("std", "mean")
    )
    return codes * std + mean


def level_logits(codes: Tensor, levels: Sequence[Concept]) -> Tensor:
    """Return the logits (N, K) of a categorical feature; their softmax gives probabilities.

    Args:
        codes: codes of all its levels, (N, K).
        levels: its K concepts.
    """
    return (CERTAINTY + math.log(len(levels) - 1)) * shares(codes, levels)


def binary_logits(codes: Tensor, concept: Concept) -> Tensor:
    """Return the logits of yes, of the same shape as the codes of a binary feature."""
    return CERTAINTY * (2 * (codes * concept.std + concept.mean) - 1)

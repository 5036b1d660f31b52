"""Which code dimension goes with which context feature: Hungarian assignment on |Spearman|."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assigned:
    """A context feature and the code dimension that goes with it.

    Attributes:
        feature: its name.
        dimension: position in the code z = (u, n).
        correlation: Spearman's ρ between them, −1 … 1.
    """

    feature: str
    dimension: int
    correlation: float


def assign(codes: np.ndarray, context: np.ndarray, names: Sequence[str]) -> list[Assigned]:
    """Give each feature a code dimension of its own so that the sum of |Spearman| is largest.

    The assignment problem (Kuhn 1955) is solved by ``scipy.optimize.linear_sum_assignment``.

    Args:
        codes: (N, W).
        context: (N, F), NaN where not known; F ≤ W.
        names: names of the features.
    """
    correlations = spearman(codes, context)
    rows, columns = linear_sum_assignment(np.abs(correlations), maximize=True)
    return [
        Assigned(names[row], int(column), float(correlations[row, column]))
        for row, column in zip(rows, columns, strict=True)
    ]


def spearman(codes: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Return Spearman's ρ (F, W) of features (N, F) and codes (N, W), over the values there are.

    A column that does not vary correlates with nothing: 0.
    """
    found = np.zeros((context.shape[1], codes.shape[1]))
    for row, feature in enumerate(context.T):
        known = ~np.isnan(feature)
        ranks = _standard(rankdata(codes[known], axis=0))
        found[row] = _standard(rankdata(feature[known])[:, None])[:, 0] @ ranks / known.sum()
    return found


def log_assignment(assigned: Sequence[Assigned], concepts: Sequence[str]) -> None:
    """Say in the log where each feature lived before alignment.

    Args:
        assigned: from ``assign``.
        concepts: names of the dimensions of u, which come first in the code.
    """
    for one in assigned:
        inside = one.dimension < len(concepts)
        logger.info(
            "%s goes best with %s, |Spearman| %.2f",
            one.feature,
            f"{concepts[one.dimension]} of the concept code"
            if inside
            else f"dimension {one.dimension - len(concepts) + 1} of the residual code",
            abs(one.correlation),
        )


def _standard(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(0)
    spread = centred.std(0)
    return centred / np.where(spread > 0, spread, np.inf)

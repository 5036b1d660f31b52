"""Normal scores: a column's ranks as quantiles of the normal distribution."""

import numpy as np
from scipy import stats


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Bring each column to normal scores Φ⁻¹(rank / (n + 1)); ties share their mean rank.

    Correlations of normal scores are correlations of the Gaussian copula, so monotone links are as
    good as linear ones (Liu, Lafferty, Wasserman 2009; Harris, Drton 2013).

    Args:
        values: finite floats, (rows, columns).

    Returns:
        float64 of the same shape, each column of mean 0 and a variance slightly under 1.
    """
    ranks = stats.rankdata(values, axis=0)
    return stats.norm.ppf(ranks / (len(values) + 1))

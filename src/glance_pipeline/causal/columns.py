"""Columns made ready for the independence test: checked, and brought to normal scores."""

import numpy as np
import pandas as pd
from scipy import stats

# A column of which less than this share of the variance is its own (not told by those before it)
# says nothing new, and given the others nothing depends on it: faithfulness, on which the search
# rests, fails. For two columns it is |correlation| > 0.995.
OWN_VARIANCE = 0.01
ROWS_PER_COLUMN = 5
FEWEST_ROWS = 30


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


def fewest_rows(columns: int) -> int:
    """Return the fewest rows with which that many columns can be searched."""
    return max(FEWEST_ROWS, ROWS_PER_COLUMN * columns)


def usable_columns(frame: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Say which columns an independence test can use.

    Args:
        frame: one row per image, numeric columns.

    Returns:
        Names of the usable columns in their order, and the reason by name of each other: it is
        constant, or repeats or is determined by the ones before it.

    Raises:
        ValueError: where values are missing or infinite, or rows are too few.
    """
    values = frame.to_numpy(np.float64)
    broken = ~np.isfinite(values)
    if broken.any():
        counts = {str(c): int(n) for c, n in zip(frame, broken.sum(0), strict=True) if n}
        raise ValueError(f"discovery needs finite values; missing or infinite rows: {counts}")
    needed = fewest_rows(values.shape[1])
    if len(values) < needed:
        raise ValueError(
            f"discovery over {values.shape[1]} concepts needs at least {needed} rows "
            f"({ROWS_PER_COLUMN} per concept, and {FEWEST_ROWS}); there are {len(values)}"
        )
    kept: list[str] = []
    reasons: dict[str, str] = {}
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(map(str, frame), values.T, strict=True):
        if np.ptp(column) <= 1e-9 * max(1.0, float(np.abs(column).max())):
            reasons[name] = "constant"
            continue
        scores = normal_scores(column[:, None])[:, 0]
        reason = _told_by(scores / scores.std(), columns)
        if reason:
            reasons[name] = reason
            continue
        kept.append(name)
        columns[name] = scores / scores.std()
    return kept, reasons


def _told_by(scores: np.ndarray, columns: dict[str, np.ndarray]) -> str | None:
    """Return why ``scores`` add nothing to ``columns`` (all standardised), None where they do."""
    if not columns:
        return None
    before = np.stack(list(columns.values()), axis=1)
    correlations = before.T @ scores / len(scores)
    closest = int(np.abs(correlations).argmax())
    if correlations[closest] ** 2 > 1 - OWN_VARIANCE:
        name = list(columns)[closest]
        return f"duplicate of {name!r} (rank correlation {correlations[closest]:.4f})"
    weights = np.linalg.lstsq(before, scores, rcond=None)[0]
    own = float(np.mean((scores - before @ weights) ** 2))
    if own < OWN_VARIANCE:
        return f"determined by the concepts before it (R² = {1 - own:.4f})"
    return None

"""Features that other features tell, linearly or not: such a one cannot be moved by itself."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from glance_pipeline.support.normal_scores import normal_scores

ROWS = 4000
"""Rows that the regression is fitted on, at most."""

LARGEST = 0.95
"""Share of a feature's variance that others may tell before it counts as told: with less than a
twentieth of its own it could be moved by itself only as far as a fifth of what it varies."""

_WORTH_NAMING = 0.1
"""A feature is named among those that tell another one from this share of the largest loss on."""

_FEW = 10
"""Features up to which the polynomial is of the third degree; it is of the second beyond."""

_LEVELS = 10
"""Values from which on a feature counts as continuous."""

_FEWEST_ROWS = 50


@dataclass(frozen=True)
class Determination:
    """How far the other features tell a feature.

    Attributes:
        r2: held-out R² of a nonlinear regression of the feature on all others.
        by: the features that the regression rests on, the most important first.
    """

    r2: float
    by: tuple[str, ...]

    def __str__(self) -> str:
        """Return ``told by length and thickness (R² 0.98)``."""
        names = ", ".join(self.by[:-1]) + (" and " if self.by[1:] else "") + self.by[-1]
        return f"told by {names} (R² {self.r2:.2f})"


def told_by_others(
    columns: pd.DataFrame, largest: float, rng: np.random.Generator
) -> dict[str, Determination]:
    """Return the continuous features that others tell almost entirely.

    A ridge regression on a polynomial of the others' normal scores, of the third degree, predicts
    each, over three folds; of those that are told, what R² loses without another one says by what.
    Since what is told by others tells them in turn, the features are taken in the order of their
    R², and one that is told is no more used to tell the next.

    Args:
        columns: numbers, one column per feature, one row per image; rows with a missing value are
            left out.
        largest: R² up to which a feature counts as one of its own.
        rng: draws the rows, at most ``ROWS``.
    """
    known = columns.dropna()
    rows = rng.permutation(len(known))[:ROWS]
    drawn = known.iloc[rows]
    left = [str(name) for name in drawn if drawn[name].nunique() > 1]
    continuous = [name for name in left if drawn[name].nunique() > _LEVELS]
    scores = pd.DataFrame(normal_scores(drawn[left].to_numpy(np.float64)), columns=left)
    found: dict[str, Determination] = {}
    while len(rows) >= _FEWEST_ROWS:
        others = {name: [one for one in left if one != name] for name in continuous if name in left}
        told = {name: _r2(scores, name, some) for name, some in others.items()}
        most = max(told, key=lambda name: told[name], default=None)
        if most is None or told[most] <= largest:
            break
        found[most] = Determination(told[most], _tellers(scores, most, others[most]))
        left.remove(most)
    return found


def variance_told(column: pd.Series, by: pd.DataFrame) -> float:
    """Return the held-out R² with which a polynomial of other columns tells a column.

    Args:
        column: numbers without a missing value.
        by: likewise; at most ``ROWS`` rows of both are used, the first ones.
    """
    scores = normal_scores(np.column_stack([column, by])[:ROWS].astype(np.float64))
    names = [str(k) for k in range(scores.shape[1])]
    return _r2(pd.DataFrame(scores, columns=names), names[0], names[1:])


def _r2(scores: pd.DataFrame, name: str, others: list[str]) -> float:
    """Return the held-out R² of a polynomial ridge regression, over three folds."""
    if not others:
        return 0.0
    degree = 3 if len(others) <= _FEW else 2
    model = make_pipeline(PolynomialFeatures(degree), StandardScaler(), Ridge(1.0))
    wanted = scores[name].to_numpy()
    predicted = cross_val_predict(model, scores[others].to_numpy(), wanted, cv=3)
    return float(1 - ((wanted - predicted) ** 2).mean() / wanted.var())


def _tellers(scores: pd.DataFrame, name: str, others: list[str]) -> tuple[str, ...]:
    """Return the features without which R² is lost, the one that costs most first."""
    whole = _r2(scores, name, others)
    lost = {one: whole - _r2(scores, name, [o for o in others if o != one]) for one in others}
    order = sorted(lost, key=lambda one: -lost[one])
    return tuple(one for one in order if lost[one] >= _WORTH_NAMING * lost[order[0]])

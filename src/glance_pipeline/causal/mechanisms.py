"""How a concept follows from its causes: additive splines, straight beyond the data."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import SplineTransformer

_PENALTIES = np.logspace(-4, 3, 8)


@dataclass(frozen=True)
class SplineMechanism:
    """The expected value of a node given its P causes: a sum of cubic splines, one for each.

    Beyond the outer knots each spline goes on as a straight line, so that interventions outside the
    data do not run away, as polynomials do, or stop, as trees do.

    Attributes:
        knots: float64 (K, P), increasing in each column.
        coefficients: float64, of the basis functions of all causes.
        intercept: of their sum.
    """

    knots: np.ndarray
    coefficients: np.ndarray
    intercept: float

    @classmethod
    def fit(cls, causes: np.ndarray, values: np.ndarray, knots: int) -> "SplineMechanism":
        """Fit by ridge regression, with the penalty of the smallest leave-one-out error.

        Args:
            causes: float (N, P).
            values: float (N,).
            knots: number K for each cause, at even quantiles between 1 % and 99 %.
        """
        placed = place_knots(causes, knots)
        basis = _basis(placed).transform(causes)
        model = RidgeCV(_PENALTIES).fit(basis, values)
        return cls(placed, np.asarray(model.coef_, np.float64), float(model.intercept_))

    def predict(self, causes: np.ndarray) -> np.ndarray:
        """Return the expected values (N,) for causes (N, P)."""
        return _basis(self.knots).transform(causes) @ self.coefficients + self.intercept


def place_knots(causes: np.ndarray, number: int) -> np.ndarray:
    """Return knots (K, P) at even quantiles of each column, or evenly spaced where those coincide.

    Raises:
        ValueError: where a column is constant.
    """
    levels = np.linspace(0.01, 0.99, number)
    placed = np.quantile(causes, levels, axis=0)
    for column in range(causes.shape[1]):
        low, high = causes[:, column].min(), causes[:, column].max()
        if not low < high:
            raise ValueError(
                f"column {column} of the causes is constant ({low:g}); it has no spline"
            )
        if (np.diff(placed[:, column]) <= 1e-6 * (high - low)).any():
            placed[:, column] = np.linspace(low, high, number)
    return placed


def _basis(knots: np.ndarray) -> SplineTransformer:
    """Return the basis, which depends on the knots alone."""
    transformer = SplineTransformer(
        knots=knots, degree=3, extrapolation="linear", include_bias=False
    )
    return transformer.fit(knots)

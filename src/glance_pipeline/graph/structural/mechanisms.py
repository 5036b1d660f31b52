"""How a concept follows from its causes: additive splines, straight beyond the data."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, PPoly
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
        intercept: intercept of their sum.
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

    def polynomials(self) -> np.ndarray:
        """Return each cause's spline as polynomials, float64 (P, K + 1, 4).

        Piece 0 lies below the first knot, piece k at and above the k-th. Powers of the distance to
        the piece's anchor fall from the third to none; the anchor is the knot at its lower end, of
        piece 0 the first knot. Their sum and the intercept are what ``predict`` returns.
        """
        pieces = []
        splines = np.split(self.coefficients, self.knots.shape[1])
        for basis, weights in zip(_basis(self.knots).bsplines_, splines, strict=True):
            # The last function of the basis is left out of it, as there is an intercept.
            spline = BSpline(basis.t, np.append(weights, 0.0), basis.k)
            inner = PPoly.from_spline(spline).c[:, basis.k : -basis.k]
            ends = [
                np.array([0.0, 0.0, spline(end, nu=1), spline(end)])
                for end in (basis.t[basis.k], basis.t[-basis.k - 1])
            ]
            pieces.append(np.stack([ends[0], *inner.T, ends[1]]))
        return np.stack(pieces)


def place_knots(causes: np.ndarray, number: int) -> np.ndarray:
    """Return knots (K, P) at even quantiles of each column, or evenly spaced where those coincide.

    Raises:
        ValueError: if a column is constant.
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

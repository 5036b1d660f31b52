"""causal-learn's randomized conditional independence test. Imports it: import this late."""

import warnings

import numpy as np
from causallearn.utils.RCIT.RCIT import RCIT

_MOST_FEATURES = 300
"""Random features of the conditioning set. causal-learn's 100 leave some of its dependence behind:
at a level of 1 % and 5,000 rows, two effects of three causes pass for dependent given the causes in
30 % of samples, with 300 in 3 % (``python -m benchmarks.reexamination``)."""

_ROWS_PER_FEATURE = 10
"""The features are regressed out, which takes many more rows than features."""


class RandomizedTest(RCIT):  # type: ignore[misc]
    """RCIT (Strobl, Zhang, Visweswaran 2019): is x independent of y given other columns?

    The null distribution is approximated by four moments (Lindsay, Pilla, Basak 2000).

    Args:
        generator: draws the random features; causal-learn itself draws from NumPy's global
            generator, which threads share.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        super().__init__()
        self.generator = generator

    def __call__(self, x: np.ndarray, y: np.ndarray, given: np.ndarray) -> float:
        """Return the p-value of x ⫫ y given the columns of ``given``; each (rows, columns).

        Columns that are constant in these rows are left out. Where none is left of x or y, it is
        independent of everything and the p-value 1.

        Raises:
            ValueError: if ``given`` does not vary.
        """
        x, y, given = (columns[:, columns.std(0) > 0] for columns in (x, y, given))
        if not (x.shape[1] and y.shape[1]):
            return 1.0
        if not given.shape[1]:
            raise ValueError("RCIT: the columns to condition on do not vary")
        self.num_f = max(1, min(_MOST_FEATURES, len(x) // _ROWS_PER_FEATURE))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # no width, where the first 500 rows are all alike
            p_value, _ = self.compute_pvalue(x, y, given)
        return float(min(1.0, max(0.0, p_value)))

    def random_fourier_features(
        self,
        x: np.ndarray,
        w: np.ndarray | None = None,
        b: np.ndarray | None = None,
        num_f: int = 25,
        sigma: float | None = None,
    ) -> np.ndarray:
        """Return √2 cos(xwᵀ + b), (rows, num_f), w normal of scale 1/sigma, b uniform."""
        width = sigma if sigma is not None and sigma > 0 else 1.0  # 0 or NaN: no width was found
        w = self.generator.normal(size=(num_f, x.shape[1])) / width
        b = self.generator.uniform(0, 2 * np.pi, size=num_f)
        return np.sqrt(2) * np.cos(x @ w.T + b)

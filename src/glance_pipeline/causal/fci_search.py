"""One run of causal-learn's FCI. Importing causal-learn takes two seconds, so import this late."""

import contextlib
import io
import math
import warnings
import zlib

import numpy as np
from causallearn.search.ConstraintBased.FCI import fci
from causallearn.utils.cit import FisherZ, register_ci_test

_TEST = "glance_resampled_fisher_z"


class ResampledFisherZ(FisherZ):
    """Fisher's Z test, at its nominal level on a bootstrap resample.

    A correlation in a resample varies around the truth for two reasons, the sample and the
    resampling. With the resample's own number of rows the test takes account of one of them and
    finds too many edges (7 % of unrelated pairs at a level of 1 %), so the effective number of rows
    is given apart.

    It also answers without the generic library path of a scalar ``norm.cdf``, which takes most of
    the time of a search, and calls pairs dependent given more than ``largest_set`` others: FCI's
    possible-d-separation stage has no limit of its own and doubles with every neighbour.

    Args:
        data: float, (rows, columns).
        effective_rows: rows of an independent sample that would vary as much.
        largest_set: largest conditioning set that is tested.
    """

    def __init__(self, data: np.ndarray, *, effective_rows: float, largest_set: int) -> None:
        super().__init__(data)
        self.effective_rows = effective_rows
        self.largest_set = largest_set

    def __call__(self, X: int, Y: int, condition_set: tuple[int, ...] | None = None) -> float:
        """Return the p-value of X ⫫ Y given the columns of ``condition_set``."""
        given = tuple(sorted(condition_set or ()))
        if len(given) > self.largest_set:
            return 0.0
        key = (min(X, Y), max(X, Y), given)
        if key not in self.pvalue_cache:
            self.pvalue_cache[key] = self._p_value([*key[:2], *given])
        return self.pvalue_cache[key]

    def _p_value(self, columns: list[int]) -> float:
        precision = np.linalg.inv(self.correlation_matrix[columns][:, columns])
        partial = -precision[0, 1] / math.sqrt(precision[0, 0] * precision[1, 1])
        freedom = self.effective_rows - (len(columns) - 2) - 3
        # |partial| may reach 1 by rounding in a very small sample.
        z = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, partial))) * math.sqrt(max(freedom, 0.0))
        return math.erfc(abs(z) / math.sqrt(2))


class StableName(str):
    """A node name whose hash is the same in every process.

    causal-learn walks through sets of nodes, hashed by name; Python's own hash of a string differs
    from process to process, and with it the order of the walk and now and then the graph.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        return zlib.crc32(self.encode())


register_ci_test(_TEST, ResampledFisherZ)


def search(scores: np.ndarray, alpha: float, depth: int, effective_rows: float) -> np.ndarray:
    """Return the partial ancestral graph of columns, by FCI (Spirtes 2000, Zhang 2008).

    Args:
        scores: float, (rows, columns), columns neither constant nor duplicated.
        alpha: level of each test, in (0, 1).
        depth: largest conditioning set.
        effective_rows: see ``ResampledFisherZ``.

    Returns:
        int8, (columns, columns): the mark at column j of the edge i – j in row i: −1 tail,
        1 arrow, 2 circle, 0 for no edge.
    """
    # causal-learn prints edges and warnings as it goes.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph, _ = fci(
            scores,
            _TEST,
            alpha=alpha,
            depth=depth,
            show_progress=False,
            node_names=[StableName(f"{column:06d}") for column in range(scores.shape[1])],
            effective_rows=effective_rows,
            largest_set=depth,
        )
    return graph.graph.T.astype(np.int8)

"""The independence test of a search, on correlations. Imports causal-learn: import this late."""

import math
import zlib

import numpy as np
from causallearn.utils.cit import CIT_Base
from scipy.special import chdtrc

from glance_pipeline.graph.search.correlations import Sample


class ResampledTest(CIT_Base):  # type: ignore[misc]
    """Independence of nodes given others, at its nominal level on a bootstrap resample.

    Between quantities it is Fisher's Z test. Where a categorical feature takes part it is the
    likelihood-ratio test of the degenerate Gaussian (Andrews, Ramsey, Cooper 2019): all columns of
    a node are tested at once, −(n − |Z| − (|X| + |Y| + 3)/2) · log Λ against χ² with |X|·|Y|
    degrees of freedom, Λ = |Σ_XYZ| |Σ_Z| / (|Σ_XZ| |Σ_YZ|), Bartlett's (1938) factor in place of n.

    A correlation in a resample varies around the truth for two reasons, the sample and the
    resampling. With the resample's own number of rows the test takes account of one of them and
    finds too many edges (7 % of unrelated pairs at a level of 1 %), so n is the sample's effective
    number of rows.

    It also calls nodes dependent given more than ``largest_set`` others: a discriminating path may
    ask for more, and such a test has little power.

    Args:
        sample: correlations of L nodes.
        largest_set: largest conditioning set that is tested.
    """

    def __init__(self, sample: Sample, largest_set: int) -> None:
        super().__init__(np.zeros((1, len(sample))))  # it looks at the number of columns only
        self.sample = sample
        self.largest_set = largest_set
        self.method = "resampled"

    def __call__(self, X: int, Y: int, condition_set: tuple[int, ...] | None = None) -> float:
        """Return the p-value of X ⫫ Y given the nodes of ``condition_set``."""
        given = tuple(sorted(condition_set or ()))
        if len(given) > self.largest_set:
            return 0.0
        key = (min(X, Y), max(X, Y), given)
        if key not in self.pvalue_cache:
            single = len(self.sample.blocks[X]) == len(self.sample.blocks[Y]) == 1
            self.pvalue_cache[key] = (self._fisher_z if single else self._likelihood_ratio)(*key)
        return self.pvalue_cache[key]

    def _fisher_z(self, x: int, y: int, given: tuple[int, ...]) -> float:
        columns = self.sample.columns([x, y, *given])
        precision = np.linalg.inv(self.sample.invertible[columns][:, columns])
        partial = -precision[0, 1] / math.sqrt(precision[0, 0] * precision[1, 1])
        freedom = self.sample.effective_rows - (len(columns) - 2) - 3
        # |partial| may reach 1 by rounding in a very small sample.
        z = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, partial))) * math.sqrt(max(freedom, 0.0))
        return math.erfc(abs(z) / math.sqrt(2))

    def _likelihood_ratio(self, x: int, y: int, given: tuple[int, ...]) -> float:
        log_ratio = (
            self._log_determinant([x, y, *given])
            + self._log_determinant(list(given))
            - self._log_determinant([x, *given])
            - self._log_determinant([y, *given])
        )
        wide, other = (len(self.sample.blocks[node]) for node in (x, y))
        beside = len(self.sample.columns(list(given)))
        factor = self.sample.effective_rows - beside - (wide + other + 3) / 2
        return float(chdtrc(wide * other, max(factor, 0.0) * max(-log_ratio, 0.0)))

    def _log_determinant(self, nodes: list[int]) -> float:
        columns = self.sample.columns(nodes)
        return float(np.linalg.slogdet(self.sample.invertible[columns][:, columns])[1])


class StableName(str):
    """A node name whose hash is the same in every process.

    causal-learn walks through sets of nodes, hashed by name; Python's own hash of a string differs
    from process to process, and with it the order of the walk and now and then the graph.
    """

    stable: int

    def __new__(cls, text: str) -> "StableName":
        """Return the name with its hash at hand: a search asks for it 10⁵ times."""
        name = super().__new__(cls, text)
        name.stable = zlib.crc32(text.encode())
        return name

    def __hash__(self) -> int:
        return self.stable


def node_names(number: int) -> list[str]:
    """Return names for ``number`` nodes that sort in their order."""
    return [StableName(f"{node:06d}") for node in range(number)]

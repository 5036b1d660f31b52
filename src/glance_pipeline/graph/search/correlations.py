"""What a search sees of one resample: correlations, and how much they can be relied on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Block = tuple[int, ...]
"""Columns of one node: one for a quantity, one less than its levels for a categorical feature."""

_OWN = 1e-9
"""Share of a column's variance that is taken to be its own, whatever a resample says."""


@dataclass(frozen=True)
class Sample:
    """Correlations of the columns of L nodes, in one resample.

    Every search here rests on them alone, so a resample of any number of rows costs a worker a
    matrix of a few columns.

    Attributes:
        correlations: float64 (C, C), of all columns; a column that does not vary in this resample
            has zeros beside its diagonal 1.
        blocks: for each of L nodes, its columns.
        effective_rows: rows of an independent sample whose correlations vary as much.
    """

    correlations: np.ndarray
    blocks: tuple[Block, ...]
    effective_rows: float

    def __len__(self) -> int:
        """Return L, the number of nodes."""
        return len(self.blocks)

    @cached_property
    def invertible(self) -> np.ndarray:
        """The correlations, a trace of each column's variance made its own.

        Two labels that differ on a single image are equal in a third of the resamples, which leave
        that image out. Their matrix has no inverse, and its determinant is zero.
        """
        return (1 - _OWN) * self.correlations + _OWN * np.eye(len(self.correlations))

    @property
    def single(self) -> bool:
        """Whether every node is one column."""
        return all(len(block) == 1 for block in self.blocks)

    def columns(self, nodes: tuple[int, ...] | list[int]) -> list[int]:
        """Return the columns of some nodes, in their order."""
        return [column for node in nodes for column in self.blocks[node]]


def correlate(values: np.ndarray) -> np.ndarray:
    """Return the correlations of columns; of one that does not vary, zeros beside its 1.

    A rare level may be absent from a resample. Its correlations with others are then undefined,
    and zero is what the resample says of them.

    Args:
        values: float, (rows, columns).
    """
    centred = values - values.mean(0)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    constant = spread <= 1e-12
    centred /= np.where(constant, 1.0, spread)
    centred[:, constant] = 0.0
    correlations = centred.T @ centred / len(values)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def associate(sample: Sample) -> np.ndarray:
    """Return how strongly nodes go together, (L, L), the diagonal 1.

    Between two quantities it is their correlation. Where one is a categorical feature it is the
    largest canonical correlation (Hotelling 1936), which has no sign.
    """
    if sample.single:
        order = sample.columns(range(len(sample)))  # type: ignore[arg-type]
        return sample.correlations[np.ix_(order, order)]
    strengths = np.eye(len(sample))
    for i, one in enumerate(sample.blocks):
        for j, other in enumerate(sample.blocks[:i]):
            strengths[i, j] = strengths[j, i] = _canonical(sample.invertible, one, other)
    return strengths


def _canonical(correlations: np.ndarray, one: Block, other: Block) -> float:
    between = correlations[np.ix_(one, other)]
    if len(one) == len(other) == 1:
        return float(between[0, 0])
    left, right = (np.linalg.cholesky(correlations[np.ix_(b, b)]) for b in (one, other))
    whitened = np.linalg.solve(right, np.linalg.solve(left, between).T)
    return float(min(1.0, np.linalg.svd(whitened, compute_uv=False)[0]))

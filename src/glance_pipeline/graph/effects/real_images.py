"""What real images say of an effect: the margin regressed on all concepts.

Where what is held is what the aligned concepts do not tell, the average effect of moving one of
them is the slope of the teacher's margin in it, the other aligned concepts held, over the images
as they are. That is no intervention and knows of no generator, so it contradicts an effect that the
generator alone has made. Confounding by what is in no table it cannot see, as a regression never
can (Pearl 2009, *Causality*, §3.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glance_pipeline.twin.concept_table import ConceptTable

_ROWS_PER_TERM = 20
"""Rows for each regressor, without which products of concepts are left out."""

_SMALLEST_SHARE = 1e-9
"""Share of the largest eigenvalue below which a direction of the regressors is rounding."""


@dataclass(frozen=True)
class Slopes:
    """Slopes of K margins in one concept, in units of the margin for one standard deviation.

    Attributes:
        value: (K,).
        error: their standard errors (K,), robust to unequal variance (HC1, White 1980).
        bend: coefficients (K,) of the square.
        bend_error: their standard errors (K,).
    """

    value: np.ndarray
    error: np.ndarray
    bend: np.ndarray
    bend_error: np.ndarray

    def interval(self, k: int) -> tuple[float, float, float]:
        """Return the k-th slope with the ends of its 95 % interval."""
        value, error = float(self.value[k]), float(self.error[k])
        return value, value - 1.96 * error, value + 1.96 * error


@dataclass(frozen=True)
class RealImages:
    """What the regression says.

    Attributes:
        slopes: by column of the concept table.
        products: coefficients (K,) of the products of two columns and their standard errors, by
            the pair, in the order of the table; empty where rows are too few.
    """

    slopes: dict[str, Slopes]
    products: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def regress_on_concepts(table: ConceptTable) -> RealImages:
    """Regress every margin on concepts, their squares and, where rows suffice, their products.

    An aligned concept's slope is taken beside the other aligned concepts, a latent one's beside all
    others. A level of a categorical feature is taken beside the other features and not beside its
    own other levels, with which it adds up to one.

    Args:
        table: concepts and margins of all images.
    """
    names = [str(name) for name in table.concepts]
    values = table.concepts.to_numpy(np.float64)
    spread = values.std(0)
    scores = (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)
    margins = table.margins.to_numpy(np.float64)
    margins = margins - margins.mean(0)
    slopes: dict[str, Slopes] = {}
    products: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    for kind in sorted({table.kinds[name] for name in names}):
        among = [k for k, name in enumerate(names) if kind == "latent" or table.kinds[name] == kind]
        simple = [k for k in among if names[k] not in table.features]
        # The square of two values is a line through them.
        bending = [k for k in simple if len(np.unique(values[:, k])) > 2]
        pairs = [(a, b) for n, a in enumerate(simple) for b in simple[n + 1 :]]
        if (len(among) + len(bending) + len(pairs)) * _ROWS_PER_TERM > len(scores):
            pairs = []
        for columns, wanted in _fits(names, among, table):
            terms = [scores[:, k] for k in columns]
            terms += [scores[:, k] ** 2 for k in bending]
            terms += [scores[:, a] * scores[:, b] for a, b in pairs]
            found, error = _least_squares(np.stack(terms, 1), margins)
            for place, k in enumerate(columns):
                if table.kinds[names[k]] != kind or k not in wanted:
                    continue
                bend = bend_error = np.zeros(margins.shape[1])
                if k in bending:
                    row = len(columns) + bending.index(k)
                    bend, bend_error = found[row], error[row]
                slopes[names[k]] = Slopes(found[place], error[place], bend, bend_error)
            for place, (a, b) in enumerate(pairs, len(columns) + len(bending)):
                products.setdefault((names[a], names[b]), (found[place], error[place]))
    return RealImages(slopes, products)


def _fits(
    names: list[str], among: list[int], table: ConceptTable
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the columns of each regression, and those whose slopes are taken from it."""
    levels = [k for k in among if names[k] in table.features]
    first = {table.features[names[k]]: k for k in reversed(levels)}
    # Of every categorical feature all levels but the first, which the others tell.
    reduced = [k for k in among if k not in first.values()]
    yield reduced, [k for k in reduced if k not in levels]
    for level in levels:
        own = table.features[names[level]]
        yield [level, *(k for k in reduced if table.features.get(names[k]) != own)], [level]


def _least_squares(terms: np.ndarray, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and HC1 standard errors, both (P, K), of centred terms (N, P)."""
    rows, count = terms.shape
    terms = terms - terms.mean(0)
    # Levels of a feature may add up to one: of all solutions the smallest, on every machine.
    inverse = np.linalg.pinv(terms.T @ terms, rcond=_SMALLEST_SHARE, hermitian=True)
    found = inverse @ (terms.T @ margins)
    left = margins - terms @ found
    meat = np.einsum("np,nk,nq->kpq", terms, left**2, terms, optimize=True)
    variance = np.einsum("pi,kij,jp->kp", inverse, meat, inverse, optimize=True)
    return found, np.sqrt(np.maximum(variance, 0) * rows / max(rows - count - 1, 1)).T

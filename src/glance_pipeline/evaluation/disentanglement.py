"""Disentanglement: is each context feature in one dimension of the code, and each dimension of one?

All of these are statistics of inferred codes: nothing is generated. Features that go together in
the data (here thickness and intensity) keep every one of them below its best value, for the code
of one then says much of the other; compare a code with the features themselves taken as a code.
"""

import logging

import numpy as np
import pandas as pd
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mutual_info_score, r2_score
from sklearn.model_selection import train_test_split

from glance_pipeline.twin.networks import Codes, TwinSurrogate

logger = logging.getLogger(__name__)

BINS = 20  # as in Locatello et al. 2019 (arXiv 1811.12359)

_FEWEST = 4  # images; DCI halves them, and R² takes two


def disentanglement(
    surrogate: TwinSurrogate, codes: Codes, context: pd.DataFrame, rng: np.random.Generator
) -> dict[str, object]:
    """Return all measures of this file for the active concepts, aligned and latent.

    Features that are not continuous by the surrogate's concepts, or have one value in all these
    images, are left out and named in the log. Images without a value of one of the others take no
    part.

    Args:
        surrogate: after alignment.
        codes: codes of N held-out images.
        context: their measured features, one row per image.
        rng: source of DCI's split.

    Returns:
        ``mig`` and ``sap``, numbers; ``dci``: ``disentanglement``, ``completeness``,
        ``informativeness``; ``partial_correlation``: a mapping of features for each concept.
        Empty if no feature is left, or fewer than four images.
    """
    kept, known = _continuous(surrogate, context)
    if not kept or known.sum() < _FEWEST:
        return {}
    names = surrogate.active_concepts
    matrix = np.stack([surrogate.read(codes, name).double().numpy() for name in names], axis=1)
    matrix, features = matrix[known], context.loc[known, kept].to_numpy(np.float64)
    partial = pd.DataFrame(partial_correlations(matrix, features), index=names, columns=kept)
    return {
        "mig": mutual_information_gap(matrix, features),
        "sap": separated_attribute_predictability(matrix, features),
        "dci": disentanglement_completeness_informativeness(matrix, features, rng),
        "partial_correlation": partial.to_dict(orient="index"),
    }


def mutual_information_gap(codes: np.ndarray, features: np.ndarray, bins: int = BINS) -> float:
    """Return MIG, the mutual information gap (Chen et al. 2018, arXiv 1802.04942).

    MIG = 1/J Σ_j (I(u_a; c_j) − I(u_b; c_j)) / H(c_j), where a is the dimension that says most of
    feature j and b the next one. Codes and features are
    cut into bins of equal width between their least and greatest value, and both quantities are
    those of the counts, without a correction for small N: what a dimension of pure noise seems to
    say is about (bins − 1)² / 2N nats.

    Args:
        codes: float (N, L).
        features: float (N, J).
        bins: bins of each column.

    Returns:
        Between 0 and 1. With L = 1 the next dimension says nothing.

    Raises:
        ValueError: if rows differ in number, or a feature has one value only.
    """
    _check(codes, features)
    code_bins = [_binned(column, bins) for column in codes.T]
    feature_bins = [_binned(column, bins) for column in features.T]
    # A variable's mutual information with itself is its entropy.
    share = [
        [mutual_info_score(f, c) / mutual_info_score(f, f) for f in feature_bins] for c in code_bins
    ]
    return _mean_gap(np.array(share))


def separated_attribute_predictability(codes: np.ndarray, features: np.ndarray) -> float:
    """Return SAP, separated attribute predictability (Kumar et al. 2018, arXiv 1711.00848).

    For each feature: R² of the linear regression on the one dimension that predicts it best, minus
    that on the next best; the mean over features. R² on a single dimension is the squared
    correlation; a dimension that is constant predicts nothing.

    Args:
        codes: float (N, L).
        features: float (N, J), read as continuous.

    Returns:
        Between 0 and 1. With L = 1 the next dimension predicts nothing.

    Raises:
        ValueError: if rows differ in number, or a feature has one value only.
    """
    _check(codes, features)
    return _mean_gap(_correlations(codes, features) ** 2)


def disentanglement_completeness_informativeness(
    codes: np.ndarray, features: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """Return DCI (Eastwood and Williams 2018, "A framework for the quantitative evaluation …").

    Gradient-boosted trees predict each feature from all dimensions, on a random half of the rows;
    their importances R_ij sum to 1 over the dimensions i for each feature j.

    Args:
        codes: float (N, L).
        features: float (N, J).
        rng: source of the split.

    Returns:
        ``disentanglement`` and ``completeness`` of R, between 0 and 1; ``informativeness``, the
        mean over features of R² on the other half, at most 1.

    Raises:
        ValueError: if rows differ in number, or a feature has one value only.
    """
    _check(codes, features)
    state = int(rng.integers(2**31))
    fitted, left = train_test_split(np.arange(len(codes)), test_size=0.5, random_state=state)
    importances, informativeness = [], []
    for feature in features.T:
        trees = GradientBoostingRegressor(random_state=state).fit(codes[fitted], feature[fitted])
        importances.append(trees.feature_importances_)
        informativeness.append(r2_score(feature[left], trees.predict(codes[left])))
    matrix = np.stack(importances, axis=1)
    return {
        "disentanglement": disentanglement_of(matrix),
        "completeness": completeness_of(matrix),
        "informativeness": float(np.mean(informativeness)),
    }


def disentanglement_of(importances: np.ndarray) -> float:
    """Return DCI's D: does each dimension serve one feature?

    D_i = 1 − H(R_i· / Σ_j R_ij) with logarithms to base J, and D is their mean weighted by each
    dimension's share of all importance.

    Args:
        importances: R, (L, J), non-negative.
    """
    total = importances.sum(axis=1)
    return float(_concentration(importances.T) @ (total / total.sum()))


def completeness_of(importances: np.ndarray) -> float:
    """Return DCI's C: is each feature in one dimension? C_j = 1 − H(R_·j / Σ_i R_ij), base L.

    Args:
        importances: R, (L, J), non-negative.

    Returns:
        The mean over features.
    """
    return float(_concentration(importances).mean())


def partial_correlations(codes: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return correlations of each dimension with each feature given all the other features.

    As in Castro et al., "Morpho-MNIST", JMLR 20 (2019): of code and feature alike only what a
    linear regression on the other features leaves is correlated. It tells a code that knows its
    feature from one that knows another which goes along with it.

    Args:
        codes: float (N, L).
        features: float (N, J).

    Returns:
        float64 (L, J), between −1 and 1; 0 where nothing is left.

    Raises:
        ValueError: if rows differ in number, or a feature has one value only.
    """
    _check(codes, features)
    columns = []
    for index in range(features.shape[1]):
        others = np.column_stack([np.ones(len(features)), np.delete(features, index, axis=1)])
        both = np.column_stack([codes, features[:, index]])
        left = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
        # What is left of a column that the others determine is rounding.
        left[:, left.std(axis=0) <= 1e-9 * both.std(axis=0)] = 0.0
        columns.append(_correlations(left[:, :-1], left[:, -1:])[:, 0])
    return np.stack(columns, axis=1)


def _continuous(surrogate: TwinSurrogate, context: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the names of the continuous features that vary, and which rows, (N,), have them all.

    What a column is says the surrogate: numbers may be declared to be levels.
    """
    continuous = {concept.name for concept in surrogate.concepts if concept.measure == "continuous"}
    wanted = [name for name in context if name in continuous and context[name].nunique() > 1]
    known = context[wanted].notna().all(axis=1).to_numpy()
    kept = [name for name in wanted if context.loc[known, name].nunique() > 1]
    if len(kept) < context.shape[1]:
        left_out = sorted({str(name) for name in context} - set(kept))
        logger.warning("disentanglement: %s left out, not continuous or but one value", left_out)
    if not known.all():
        missing = len(known) - known.sum()
        logger.warning("disentanglement: %d of %d images lack a value", missing, len(known))
    return kept, known


def _check(codes: np.ndarray, features: np.ndarray) -> None:
    if len(codes) != len(features):
        raise ValueError(
            f"found {len(codes)} codes, wanted {len(features)}, one for each row of features"
        )
    constant = np.flatnonzero(np.ptp(features, axis=0) == 0)
    if len(constant):
        raise ValueError(f"feature {constant[0]} has one value in all {len(features)} rows")


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    return np.digitize(values, np.histogram_bin_edges(values, bins)[1:-1])


def _mean_gap(scores: np.ndarray) -> float:
    """Return the mean over columns of the best score minus the next best, (L, J)."""
    padded = np.vstack([scores, np.zeros((1, scores.shape[1]))]) if len(scores) == 1 else scores
    ordered = np.sort(padded, axis=0)
    return float((ordered[-1] - ordered[-2]).mean())


def _concentration(weights: np.ndarray) -> np.ndarray:
    """Return 1 − H of each column's shares, base the number of rows; 0 for a column of zeros."""
    rows = len(weights)
    if rows == 1:
        return np.ones(weights.shape[1])
    some = weights.sum(axis=0) > 0
    shares = np.where(some, weights, 1.0)
    return 1.0 - entropy(shares, base=rows, axis=0)


def _correlations(codes: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return Pearson's correlations (L, J); 0 where a column is constant."""

    def unit(columns: np.ndarray) -> np.ndarray:
        centred = columns - columns.mean(axis=0)
        length = np.linalg.norm(centred, axis=0)
        return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)

    return unit(codes).T @ unit(features)

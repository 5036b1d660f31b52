"""Context features as codes: in standard deviations of the training split, kind by kind."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_bool_dtype
from torch import Tensor

from glance_pipeline.context.table import Kind, as_levels, check_context, kinds_of, levels_of
from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.networks.concept import by_feature, not_told_by_others

logger = logging.getLogger(__name__)

OWN_VARIANCE = 1e-6
"""A column of which less than this share of the variance is its own is told by the others: the
change of basis squares its condition, and columns come in single precision."""


class UnusableFeaturesError(ValueError):
    """Context features that cannot be aligned with, as the training images show them.

    Attributes:
        reasons: by feature.
    """

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        super().__init__(message)
        self.reasons = dict(reasons)


def standardise_context(
    context_features: pd.DataFrame,
    records: pd.DataFrame,
    units: Mapping[str, str],
    kinds: Mapping[str, Kind] | None = None,
) -> tuple[Tensor, list[Concept]]:
    """Return standardised features (N, J), float32, and the concepts they will be aligned with.

    A continuous or binary feature is one column, a categorical one one column for each level
    (``networks/concept.py``). A value that is missing is NaN in all columns of its feature.

    Args:
        context_features: one row per image, one column per feature; none where concepts are to be
            latent alone.
        records: one row per image, with a column ``split``.
        units: by feature name; empty for those that are not named.
        kinds: by feature name; read off the values for those that are not named.

    Raises:
        ValueError: if ``check_context`` or ``kinds_of`` refuses the table, a feature or level is
            constant on the training split or a linear function of others, or two concepts would
            have one name.
    """
    if context_features.shape[1] == 0 and len(context_features) == len(records):
        kinds_of(context_features, kinds or {})  # a kind of a feature that is not there
        return torch.empty(len(records), 0), []
    check_context(context_features, records, missing=True)
    found = kinds_of(context_features, kinds or {})
    rows = (records["split"] == "train").to_numpy()
    frame, concepts = _as_numbers(context_features, found, units)
    train = frame[rows]
    mean, std = train.mean(), train.std()
    constant = [name for name in std.index if not std[name] > 0]
    if constant:
        features = {concept.name: concept.feature or concept.name for concept in concepts}
        raise UnusableFeaturesError(
            f"context_features: {constant} do not vary over the training images",
            {features[name]: f"{name} does not vary over the training images" for name in constant},
        )
    _check_independent(((train - mean) / std).to_numpy(float, na_value=np.nan), concepts)
    _log_missing(context_features[rows])
    _log_levels(concepts)
    standardised = ((frame - mean) / std).to_numpy(np.float32, copy=True, na_value=np.nan)
    concepts = [
        replace(concept, mean=float(mean.iloc[k]), std=float(std.iloc[k]))
        for k, concept in enumerate(concepts)
    ]
    return torch.as_tensor(standardised), concepts


def _check_independent(standardised: np.ndarray, concepts: list[Concept]) -> None:
    """Refuse columns that are linear functions of others; they cannot be moved by themselves.

    A value that is missing counts as the mean, so that columns of different images stay different.

    Args:
        standardised: of the training images, (N, J), NaN where not known.
        concepts: concepts of its columns.
    """
    free = not_told_by_others(concepts)
    values = np.nan_to_num(standardised[:, free])
    names = [concepts[index].feature or concepts[index].name for index in free]
    covariance = values.T @ values / len(values)
    kept: list[int] = []
    told: dict[str, list[str]] = {}
    for k, name in enumerate(names):
        weights = np.linalg.solve(covariance[np.ix_(kept, kept)], covariance[kept, k])
        own = covariance[k, k] - covariance[k, kept] @ weights
        if own > OWN_VARIANCE * covariance[k, k]:
            kept.append(k)
            continue
        by = {names[i]: None for i, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-3}
        told.setdefault(name, list(by))
    if told:
        said = "; ".join(f"{name!r} by {by}" for name, by in told.items())
        raise UnusableFeaturesError(
            "context_features: over the training images, columns are linear functions of others: "
            f"{said}; leave out one of each",
            {name: f"it is a linear function of {by}" for name, by in told.items()},
        )


def _as_numbers(
    context: pd.DataFrame, kinds: Mapping[str, Kind], units: Mapping[str, str]
) -> tuple[pd.DataFrame, list[Concept]]:
    """Return a column of numbers for each dimension, and the concepts but for their scale."""
    columns: dict[str, pd.Series] = {}
    concepts: list[Concept] = []
    for name, column in context.items():
        for concept, values in _dimensions(column, kinds[str(name)], units.get(str(name), "")):
            if concept.name in columns:
                raise ValueError(f"context_features: two concepts would be called {concept.name!r}")
            columns[concept.name] = values
            concepts.append(concept)
    if all(concept.measure == "continuous" for concept in concepts):
        # The table as it came: a copy might be summed in another order.
        return context, concepts
    return pd.DataFrame(columns), concepts


def _dimensions(column: pd.Series, kind: Kind, unit: str) -> list[tuple[Concept, pd.Series]]:
    """Return the concepts of one feature with their columns."""
    name = str(column.name)
    if kind == "continuous":
        numbers = column.astype(float) if is_bool_dtype(column) else column
        return [(Concept(name, "aligned", unit), numbers)]
    levels, text = levels_of(column), as_levels(column)
    is_level = {
        level: (text == level).astype(float).where(column.notna(), np.nan) for level in levels
    }
    if kind == "binary":
        concept = Concept(name, "aligned", unit, measure="binary", levels=levels)
        return [(concept, is_level[levels[1]])]
    return [
        (
            Concept(
                f"{name}={level}",
                "aligned",
                unit,
                measure="categorical",
                feature=name,
                levels=(level,),
            ),
            values,
        )
        for level, values in is_level.items()
    ]


def _log_missing(train: pd.DataFrame) -> None:
    for name, count in train.isna().sum().items():
        if count:
            logger.warning(
                "context: %s is missing for %d of %d training images, which take no part in "
                "aligning it",
                name,
                count,
                len(train),
            )


def _log_levels(concepts: list[Concept]) -> None:
    for concept in concepts:
        if concept.measure == "binary" and concept.levels != ("0", "1"):
            logger.info("context: %s is binary, 0 is %s and 1 is %s", concept.name, *concept.levels)
    for feature, members in by_feature(concepts).items():
        if concepts[members[0]].measure == "categorical":
            levels = ", ".join(concepts[index].levels[0] for index in members)
            logger.info("context: %s is categorical: %s", feature, levels)

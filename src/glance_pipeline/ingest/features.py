"""Which columns of the tables can be context features."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_object_dtype, is_string_dtype

from glance_pipeline.context.table import Kind, as_levels, check_context, kinds_of
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.basis.standardised_context import (
    UnusableFeaturesError,
    standardise_context,
)

logger = logging.getLogger(__name__)

FEWEST_OF_A_LEVEL = 5
"""Images that a level must have: with fewer a split may well have none."""

_SHOWN = 3  # of rare levels

_MOST_MISSING = 0.5
"""Columns that are missing in more of the images are taken only where they are named."""


def choose_features(
    columns: pd.DataFrame,
    wanted: Sequence[str] | None,
    reserved: Mapping[str, str],
    kinds: Mapping[str, Kind],
    place: str = "ingest.context.features",
) -> pd.DataFrame:
    """Return the columns that become context features; without any, a frame of N rows alone.

    Numbers −1 and 1 become 0 and 1, infinite ones are missing, and so are levels of a categorical
    feature that fewer than ``FEWEST_OF_A_LEVEL`` images have; the log names them.

    Args:
        columns: columns of the tables, one row for each image.
        wanted: their names; None takes all that can be used and names the others in the log.
        reserved: what else a column is for, by name, such as ``label``; those are not taken where
            none is named.
        kinds: declared kinds by name.
        place: what messages call the list of wanted columns.

    Raises:
        UserError: if a column that is named is not there, or cannot be used; the message names
            it and says why.
    """
    names = list(map(str, columns)) if wanted is None else list(wanted)
    absent = [name for name in names if name not in columns]
    if absent:
        there = list(map(str, columns)) or "no column: ingest.context.tables names no table"
        raise UserError(f"{place}: there is no column {absent}; found {there}")
    chosen = pd.DataFrame(index=columns.index)
    left_out: dict[str, str] = {}
    signs = []
    for name in names:
        reason = reserved.get(name, "") if wanted is None else ""
        declared = {name: kinds[name]} if name in kinds else {}
        column = _without_rare_levels(_as_zero_and_one(columns[name]), declared.get(name))
        reason = reason or _reason(column, chosen, declared, wanted is not None)
        if reason and wanted is not None:
            raise UserError(f"{place}: {name!r} cannot be used: {reason}")
        if reason:
            left_out[name] = reason
            continue
        if is_numeric_dtype(column) and column.min() == 0 and columns[name].min() == -1:
            signs.append(name)
        chosen[name] = column
    if signs:
        logger.info("context: −1 and 1 are read as 0 and 1 in %s", ", ".join(signs))
    for name, reason in left_out.items():
        logger.warning("context: %s is left out: %s", name, reason)
    return chosen


def _as_zero_and_one(column: pd.Series) -> pd.Series:
    """Return a column with 0 and 1 for −1 and 1, and without infinite values; or as it is."""
    if is_bool_dtype(column) or not is_numeric_dtype(column):
        return column
    if column.isin([np.inf, -np.inf]).any():
        column = column.replace([np.inf, -np.inf], np.nan)
    if set(column.dropna().unique()) == {-1, 1}:
        return (column + 1) / 2 if column.isna().any() else (column + 1) // 2
    return column


def _without_rare_levels(column: pd.Series, declared: Kind | None) -> pd.Series:
    """Return a categorical column with its rare levels missing; any other as it is."""
    by_values = None if is_numeric_dtype(column) else "categorical"
    if (declared or by_values) != "categorical" or not _is_plain(column.dropna()):
        return column
    text = as_levels(column)
    counts = text.value_counts()
    rare = counts[counts < FEWEST_OF_A_LEVEL]
    if len(counts) <= 2 or not len(rare) or len(counts) - len(rare) < 2:
        return column
    some = ", ".join(f"{level} ({count})" for level, count in rare.head(_SHOWN).items())
    more = f" and {len(rare) - _SHOWN} more" if len(rare) > _SHOWN else ""
    logger.warning(
        "context: %s: levels of fewer than %d images are taken as missing: %s%s",
        column.name, FEWEST_OF_A_LEVEL, some, more,
    )  # fmt: skip
    return column.where(~text.isin(rare.index))


def _reason(
    column: pd.Series, chosen: pd.DataFrame, declared: Mapping[str, Kind], named: bool
) -> str:
    """Say why a column cannot be a context feature; empty if it can."""
    known = column.dropna()
    if known.empty:
        return f"all its {len(column)} values are missing"
    if not _is_plain(known):
        kinds = sorted({type(value).__name__ for value in known})
        return f"its values are {kinds} ({column.dtype}), wanted numbers, truth values or words"
    if known.nunique() == 1:
        return f"it is constant, {as_levels(known).iloc[0]} wherever it is known"
    if len(known) < (1 - _MOST_MISSING) * len(column) and not named:
        missing = len(column) - len(known)
        rare = "" if is_numeric_dtype(column) else ", or of a rare level,"
        return (
            f"it is missing{rare} for {missing} of {len(column)} images; name it in "
            "ingest.context.features to have it all the same"
        )
    both = chosen.assign(**{str(column.name): column})
    try:
        check_context(both, both, missing=True)
        kind = kinds_of(column.to_frame(), declared)[str(column.name)]
    except ValueError as error:
        return str(error)
    counts = as_levels(column).value_counts()
    if kind != "continuous" and counts.min() < FEWEST_OF_A_LEVEL:
        return (
            f"{counts.idxmin()!r} is the value of {counts.min()} images, wanted at least "
            f"{FEWEST_OF_A_LEVEL}"
        )
    return ""


def _is_plain(known: pd.Series) -> bool:
    """Say whether the values are numbers, truth values or words."""
    if is_numeric_dtype(known):
        return not np.issubdtype(known.to_numpy().dtype, np.complexfloating)
    if isinstance(known.dtype, pd.CategoricalDtype) or is_string_dtype(known):
        return True
    plain = bool | str | int | float | np.generic
    return bool(is_object_dtype(known) and known.map(lambda value: isinstance(value, plain)).all())


def drop_unusable(
    context: pd.DataFrame, records: pd.DataFrame, kinds: Mapping[str, Kind], named: bool
) -> pd.DataFrame:
    """Return the features that can be aligned with, as ``training.context`` will judge them.

    Args:
        context: context of N images.
        records: records of the images, with their ``split``.
        kinds: declared kinds by name.
        named: whether the user named the features; then none is dropped.

    Raises:
        UserError: if one that is named does not vary over the training images, or is a linear
            function of others there.
    """
    while True:
        try:
            standardise_context(context, records, {}, {n: kinds[n] for n in kinds if n in context})
        except UnusableFeaturesError as error:
            if named:
                raise
            for name, reason in error.reasons.items():
                logger.warning("context: %s is left out: %s", name, reason)
            context = context.drop(columns=list(error.reasons))
        else:
            return context

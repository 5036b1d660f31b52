"""The context table: the features, one row per image, that a user can name and measure."""

import re
from collections.abc import Mapping, Sized
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

Kind = Literal["continuous", "binary", "categorical"]

MOST_LEVELS = 50


def kinds_of(context: pd.DataFrame, declared: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the kind of each context feature, from its values unless it is declared.

    Truth values, two different strings, and numbers that are 0 and 1 alone are binary; other
    strings and categories are categorical; other numbers are continuous.

    Args:
        context: one row per image, one column per feature; missing values are left aside.
        declared: kinds by column, which overrule the values.

    Raises:
        ValueError: if a declared column is not there, a binary one does not have two values, a
            continuous one is not numbers, or a categorical one has fewer than 2 levels or more
            than ``MOST_LEVELS``. The message names the column.
    """
    unknown = sorted(set(declared) - set(map(str, context)))
    if unknown:
        raise ValueError(
            f"align.kinds: {unknown} are no context features; there are {list(map(str, context))}"
        )
    kinds: dict[str, Kind] = {}
    for name in map(str, context):
        kinds[name] = declared.get(name) or _kind(context[name])
        _check_kind(context[name], kinds[name])
    return kinds


def as_levels(column: pd.Series) -> pd.Series:
    """Return the values of a binary or categorical column as strings, missing ones as None."""
    text = [None if pd.isna(value) else _level(value) for value in column]
    return pd.Series(text, column.index, dtype=object, name=column.name)


def levels_of(column: pd.Series) -> tuple[str, ...]:
    """Return the levels that occur, a category's in its order, numbers and words sorted."""
    values = column.dropna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(values)
        return tuple(_level(value) for value in column.cat.categories if value in present)
    unique = values.unique().tolist()
    if not all(isinstance(value, bool | int | float) for value in unique):
        return tuple(sorted({_level(value) for value in unique}))
    return tuple(_level(value) for value in sorted(unique))


def _level(value: object) -> str:
    """Write one value as the name of a level; 3.0 is 3."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def _kind(column: pd.Series) -> Kind:
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        return "binary" if set(column.dropna().unique()) == {0, 1} else "continuous"
    return "binary" if len(levels_of(column)) == 2 else "categorical"


def _check_kind(column: pd.Series, kind: Kind) -> None:
    """Refuse values that the kind cannot have."""
    name = f"context table: column {column.name!r}"
    if kind == "continuous":
        if not is_numeric_dtype(column):
            raise ValueError(f"{name} is declared continuous, but its values are {column.dtype}")
        return
    levels = levels_of(column)
    if kind == "binary" and len(levels) != 2:
        raise ValueError(f"{name} is declared binary, but has {len(levels)} values, wanted 2")
    if len(levels) < 2:
        raise ValueError(f"{name} has the one level {list(levels)}, wanted at least 2")
    if len(levels) > MOST_LEVELS:
        raise ValueError(
            f"{name} has {len(levels)} levels, wanted at most {MOST_LEVELS}; if its values are "
            "numbers in strings, make them numbers"
        )


def check_context(context: pd.DataFrame, images: Sized, missing: bool = False) -> None:
    """Refuse a context table that an explanation cannot rest on.

    Args:
        context: one row per image, one column per feature, numbers or categories.
        images: the images, counted only.
        missing: whether an image may have no value of a feature.

    Raises:
        ValueError: if the numbers of rows and images differ, where there is no column, or
            where a column has infinite values, or missing ones where they may not be, is constant,
            has the name of another or of a latent concept (``latent_1``, …), or holds the same
            values as another. The message names the columns.
    """
    if len(context) != len(images):
        raise ValueError(
            f"context table: found {len(context)} rows, wanted {len(images)}, one for each image"
        )
    if context.shape[1] == 0:
        raise ValueError("context table: found no column, wanted one for each context feature")
    named_twice = sorted({str(name) for name in context.columns[context.columns.duplicated()]})
    if named_twice:
        raise ValueError(f"context table: found more than one column named {named_twice}")
    latent = [str(name) for name in context if re.fullmatch(r"latent_\d+", str(name))]
    if latent:
        raise ValueError(
            f"context table: columns {latent} have names of latent concepts, wanted any but "
            "latent_1, latent_2, …; rename them"
        )
    for name in context:
        _check_column(context[name], missing)
    _check_duplicates(context)


def _check_column(column: pd.Series, may_be_missing: bool) -> None:
    """Refuse a column with infinite values, or missing ones, or with a single value."""
    missing = 0 if may_be_missing else int(column.isna().sum())
    if is_float_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        missing += int(np.isinf(values).sum())
    if missing:
        raise ValueError(
            f"context table: column {column.name!r} has no finite value in {missing} of its "
            f"{len(column)} rows"
        )
    if not column.notna().any():
        raise ValueError(f"context table: column {column.name!r} has no value at all")
    if column.nunique() == 1:
        value = column.dropna().iloc[0]
        raise ValueError(
            f"context table: column {column.name!r} is constant, {value!r} in all of "
            f"its {len(column)} rows; it cannot explain anything"
        )


def _check_duplicates(context: pd.DataFrame) -> None:
    """Refuse two columns of the same values."""
    seen: dict[bytes, str] = {}
    for name in context:
        values = pd.util.hash_pandas_object(context[name], index=False).to_numpy().tobytes()
        if values in seen:
            raise ValueError(
                f"context table: columns {seen[values]!r} and {name!r} hold the same values in "
                f"all {len(context)} rows; keep one of them"
            )
        seen[values] = str(name)

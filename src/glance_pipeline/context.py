"""Checks of a context table: the features, one row per image, that a user can name and measure."""

from collections.abc import Sized

import numpy as np
import pandas as pd


def check_context(context: pd.DataFrame, images: Sized) -> None:
    """Refuse a context table that an explanation cannot rest on.

    Args:
        context: one row per image, one column per feature, numbers or categories.
        images: the images, counted only.

    Raises:
        ValueError: where the numbers of rows and images differ, where there is no column, or
            where a column has missing or infinite values, is constant, has the name of another,
            or holds the same values as another. The message names the columns.
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
    for name in context:
        _check_column(context[name])
    _check_duplicates(context)


def _check_column(column: pd.Series) -> None:
    """Refuse a column with missing or infinite values, or with a single value."""
    missing = int(column.isna().sum())
    if pd.api.types.is_float_dtype(column):
        missing = int((~np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))).sum())
    if missing:
        raise ValueError(
            f"context table: column {column.name!r} has no finite value in {missing} of its "
            f"{len(column)} rows"
        )
    if column.nunique() == 1:
        raise ValueError(
            f"context table: column {column.name!r} is constant, {column.iloc[0]!r} in all of "
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

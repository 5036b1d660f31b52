"""Which images a rehearsal takes: few, and none of the values that a feature has left out."""

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from glance_pipeline.context.table import MOST_LEVELS

OF_SPLIT = {"train": 64, "validation": 8, "test": 16}
"""Images that are drawn of each split."""


def sample_rows(records: pd.DataFrame, context: pd.DataFrame, named: tuple[int, ...]) -> np.ndarray:
    """Return rows that stand for all of them, sorted.

    A feature that is rare would be constant over a handful of images, and the columns of a wide
    table linear functions of each other: neither is so of the table itself. So two training images
    of each level of a feature are taken, or those with its smallest and largest values, and more
    training images than columns.

    Args:
        records: one row per image, with a column ``split``.
        context: one row per image, one column per feature.
        named: rows that are wanted in any case.
    """
    rng = np.random.default_rng(0)
    chosen = {row for row in named if row < len(records)}
    splits = records["split"].to_numpy()
    for split, count in OF_SPLIT.items():
        rows = np.flatnonzero(splits == split)
        wanted = count + (4 * context.shape[1] if split == "train" else 0)
        chosen.update(rng.permutation(rows)[:wanted].tolist())
    train = context.iloc[np.flatnonzero(splits == "train")].reset_index(drop=True)
    places = np.flatnonzero(splits == "train")
    for name in train:
        chosen.update(places[_telling(train[name])].tolist())
    return np.array(sorted(chosen), dtype=int)


def _telling(column: pd.Series) -> list[int]:
    """Return places of values that a column must not lose."""
    known = column.dropna()
    if is_numeric_dtype(known) and known.nunique() > MOST_LEVELS:
        ordered = known.sort_values().index
        return [int(place) for place in (*ordered[:1], *ordered[-1:])]
    places = known.index.to_series().groupby(known.to_numpy()).head(2)
    return [int(place) for place in places[: 2 * MOST_LEVELS]]

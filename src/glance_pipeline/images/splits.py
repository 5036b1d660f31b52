"""Which image trains, validates and tests."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from glance_pipeline.config.splits import SplitFractions
from glance_pipeline.support.errors import UserError

SPLITS = ("train", "validation", "test")
_WORDS = {
    **dict.fromkeys(("train", "training", "0"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "1"), "validation"),
    **dict.fromkeys(("test", "testing", "2"), "test"),
}
"""What columns call the splits; the numbers are CelebA's."""


def split_by_fractions(
    labels: np.ndarray | None,
    count: int,
    fractions: SplitFractions,
    rng: np.random.Generator,
) -> np.ndarray:
    """Split at random, each class in proportion where there are labels.

    Args:
        labels: labels of N images, or None.
        count: N.
        fractions: shares of the splits.
        rng: source of the draw.

    Returns:
        The split of each image, (N,) strings.

    Raises:
        UserError: if there are too few images for every split to hold every class, or one.
    """
    state = int(rng.integers(2**31))
    sizes = [round(count * share) for share in (fractions.validation, fractions.test)]
    _check_enough(labels, count, min(sizes))
    rows = np.arange(count)
    rest, test = train_test_split(rows, test_size=sizes[1], stratify=labels, random_state=state)
    _, validation = train_test_split(
        rest,
        test_size=sizes[0],
        stratify=None if labels is None else labels[rest],
        random_state=state,
    )
    splits = np.full(count, "train", dtype=object)
    splits[validation], splits[test] = "validation", "test"
    return splits


def split_by_group(
    groups: pd.Series, fractions: SplitFractions, rng: np.random.Generator
) -> np.ndarray:
    """Split whole groups at random, until test and validation hold their shares of the images.

    Args:
        groups: groups of N images; one whose group is missing is a group of its own.
        fractions: shares of the splits; a split exceeds its share by less than its last group.
        rng: source of the draw.

    Returns:
        The split of each image, (N,) strings.

    Raises:
        UserError: if a split would stay empty.
    """
    codes, _ = pd.factorize(groups)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    sizes = np.bincount(codes)
    order = rng.permutation(len(sizes))
    before = np.concatenate([[0], sizes[order].cumsum()[:-1]]) / len(codes)
    place = np.full(len(order), "train", dtype=object)
    place[before < fractions.test + fractions.validation] = "validation"
    place[before < fractions.test] = "test"
    of_group = np.empty(len(order), dtype=object)
    of_group[order] = place
    splits = of_group[codes]
    empty = [name for name in SPLITS if not (splits == name).any()]
    if empty:
        raise UserError(
            f"ingest.group {groups.name!r}: found {len(sizes)} groups of {len(codes)} images, the "
            f"largest of {sizes.max()}; with them the splits {empty} stay empty"
        )
    return splits


def are_splits(column: pd.Series) -> bool:
    """Say whether every value of a column is a split's name, and they name several."""
    splits = column.map(_word).map(_WORDS)
    return bool(splits.notna().all()) and splits.nunique() > 1


def split_by_column(
    column: pd.Series,
    labels: np.ndarray | None,
    fractions: SplitFractions,
    rng: np.random.Generator,
    place: str = "ingest.split_column",
) -> np.ndarray:
    """Take the splits that a column says; where it knows no validation, take it from training.

    Args:
        column: column of N images: train, validation and test, or val, dev, …, or CelebA's 0, 1, 2.
        labels: labels of the images, or None; each class in proportion where validation is taken.
        fractions: shares of the splits; validation's share of what is not test is used.
        rng: source of that draw.
        place: what messages call the parameter that names the column.

    Returns:
        The split of each image, (N,) strings.

    Raises:
        UserError: if a value says no split, or no image is in training or test.
    """
    said = column.map(_word)
    splits = said.map(_WORDS).to_numpy(dtype=object)
    unknown = said[pd.isna(splits)]
    if len(unknown):
        raise UserError(
            f"{place} {column.name!r}: found {unknown.iloc[0]!r} in {len(unknown)} of "
            f"{len(column)} rows, wanted train, validation or test (or 0, 1, 2)"
        )
    for name in ("train", "test"):
        if not (splits == name).any():
            raise UserError(
                f"{place} {column.name!r}: no image is in the split {name!r}; found "
                f"{sorted(set(said))}"
            )
    if not (splits == "validation").any():
        rows = np.flatnonzero(splits == "train")
        share = fractions.validation / (fractions.train + fractions.validation)
        given = None if labels is None else labels[rows]
        size = max(1, round(share * len(rows)))
        _check_enough(given, len(rows), size)
        state = int(rng.integers(2**31))
        _, taken = train_test_split(rows, test_size=size, stratify=given, random_state=state)
        splits[taken] = "validation"
    return splits


def _word(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip().lower()  # type: ignore[call-overload]


def _check_enough(labels: np.ndarray | None, count: int, fewest: int) -> None:
    """Refuse what leaves a split without a class, or without an image."""
    if labels is None:
        if fewest < 1:
            raise UserError(f"found {count} images, of which the smallest split gets none")
        return
    classes, sizes = np.unique(labels, return_counts=True)
    if fewest < len(classes):
        raise UserError(
            f"found {count} images, of which the smallest split gets {fewest}; wanted at least "
            f"{len(classes)}, one for each class"
        )
    rare = [f"{name!s} ({size})" for name, size in zip(classes, sizes, strict=True) if size < 3]
    if rare:
        raise UserError(
            f"classes {', '.join(rare)} have fewer than 3 images, wanted one for each split; leave "
            "those classes out, or take more images"
        )

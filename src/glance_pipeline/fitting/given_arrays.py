"""Images, labels and context features as arrays, checked and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.splits import SplitFractions
from glance_pipeline.context.table import Kind
from glance_pipeline.images.splits import split_by_column, split_by_fractions
from glance_pipeline.ingest.features import choose_features, drop_unusable
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks.sizes import check_widths, widths_for


@dataclass(frozen=True)
class Given:
    """What is known of the images, a value or one row for each of them.

    Attributes:
        context: context features by name; None if all concepts are to be latent.
        labels: names or numbers of the true classes; None for one, or all, that are not known.
        splits: ``train``, ``validation`` or ``test``; None draws them at random.
    """

    context: pd.DataFrame | Mapping[str, Sequence[Any]] | None = None
    labels: Sequence[Any] | np.ndarray | pd.Series | Tensor | None = None
    splits: Sequence[str] | np.ndarray | pd.Series | None = None


@dataclass(frozen=True)
class Arrays:
    """What the stages are trained on: as the datasets of a project, row for row.

    Attributes:
        images: uint8 (N, C, H, W).
        records: N rows: ``split``, and ``label`` (a class name) where it is known.
        context: N rows, one column for each context feature, possibly none.
    """

    images: np.ndarray
    records: pd.DataFrame
    context: pd.DataFrame


def as_images(images: Any) -> np.ndarray:
    """Return images as an array; it is not copied.

    Raises:
        UserError: if they are not uint8 (N, C, H, W), square, a power of two of at least 8 wide.
    """
    found = images.numpy(force=True) if isinstance(images, Tensor) else images
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.ndim != 4:
        what = type(found).__name__
        if isinstance(found, np.ndarray):
            what = f"{found.dtype} of the shape {found.shape}"
        raise UserError(f"images: found {what}, wanted uint8 of the shape (N, C, H, W), 0 to 255")
    channels, height, width = found.shape[1:]
    if height != width or channels not in (1, 3):
        raise UserError(
            f"images: found {channels} channels of {height}×{width} px, wanted 1 or 3 channels of "
            "square images"
        )
    try:
        check_widths(height, widths_for(height)[0])
    except ValueError as error:
        raise UserError(f"images: {error}") from error
    return found


def as_arrays(
    images: np.ndarray,
    classifier: Classifier,
    given: Given,
    kinds: Mapping[str, Kind],
    seed: int,
) -> Arrays:
    """Return images with their records and context features.

    Args:
        images: as ``as_images`` returns them.
        classifier: the teacher, for the names of its classes.
        given: what is known of the images.
        kinds: declared kinds of context features, by name.
        seed: seed of the split.

    Raises:
        UserError: if something has not a value for each image, is no class or split, or is no
            context feature that concepts can be aligned with.
    """
    wanted = classifier.specification.image_shape
    if images.shape[1:] != wanted:
        raise UserError(f"images: found {images.shape[1:]}, the classifier wants {wanted}")
    labels = _labels(given.labels, len(images), classifier)
    rng = numpy_generator(seed, "fit", "split")
    strata = None
    if labels is not None:  # an image of unknown class goes with the most frequent one
        strata = labels.fillna(labels.mode().iloc[0]).to_numpy(dtype=str)
    if given.splits is None:
        splits = split_by_fractions(strata, len(images), SplitFractions(), rng)
    else:
        said = pd.Series(_counted("splits", given.splits, len(images)), name="given")
        splits = split_by_column(said, strata, SplitFractions(), rng, "splits")
    records = pd.DataFrame({"split": splits})
    if labels is not None:
        records.insert(0, "label", labels)
    return Arrays(images, records, _context(given.context, records, kinds))


def _context(
    given: pd.DataFrame | Mapping[str, Sequence[Any]] | None,
    records: pd.DataFrame,
    kinds: Mapping[str, Kind],
) -> pd.DataFrame:
    if given is None:
        return pd.DataFrame(index=records.index)
    if not isinstance(given, pd.DataFrame):
        try:
            given = pd.DataFrame(dict(given))
        except (TypeError, ValueError) as error:
            raise UserError(f"context: found no table: {error}") from error
    if len(given) != len(records):
        raise UserError(f"context: found {len(given)} rows, wanted {len(records)}, one per image")
    columns = given.reset_index(drop=True).rename(columns=str)
    twice = columns.columns[columns.columns.duplicated()].tolist()
    if twice:
        raise UserError(f"context: found the columns {twice} more than once")
    chosen = choose_features(columns, list(map(str, columns)), {}, kinds, "context")
    try:
        return drop_unusable(chosen, records, kinds, named=True)
    except ValueError as error:
        raise UserError(str(error)) from error


def _labels(given: Any, count: int, classifier: Classifier) -> pd.Series | None:
    """Return the class name of each image."""
    if given is None:
        return None
    names = classifier.class_names
    known = {name: name for name in names} | dict(enumerate(names))
    found = pd.Series(_counted("labels", given, count), dtype=object)
    wrong = found[~found.isin(list(known)) & found.notna()]
    if len(wrong):
        listed = ", ".join(map(repr, names[:6])) + (", …" if len(names) > 6 else "")
        raise UserError(
            f"labels: found {wrong.iloc[0]!r}, wanted a class by its name ({listed}) or its "
            f"number, 0 to {len(names) - 1}, or None where it is not known"
        )
    if found.isna().all():
        raise UserError("labels: found none that is known; leave them out")
    return found.map(known, na_action="ignore")


def _counted(what: str, given: Any, count: int) -> list[Any]:
    """Return values as a list; raise ``UserError`` unless there is one for each image."""
    found = given.tolist() if hasattr(given, "tolist") else list(given)
    if len(found) != count:
        raise UserError(f"{what}: found {len(found)}, wanted {count}, one for each image")
    return found

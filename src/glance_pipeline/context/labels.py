"""The class of each image, as its source or a table says it."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.table import as_levels, levels_of
from glance_pipeline.images.sources.arrays import read_labels
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)

_SHOWN = 3


def labels_of(
    names: Sequence[str],
    columns: pd.DataFrame,
    parameters: IngestParameters,
    has_order: bool = False,
) -> pd.Series | None:
    """Return the class names of all images, or None if ``ingest.labels`` asks for none.

    Args:
        names: names of the images.
        columns: columns of the tables, one row for each image.
        parameters: parameters of the pipeline.
        has_order: whether images are known by their order, as a file of labels is.

    Returns:
        Strings (N,); None for an image of unknown class.

    Raises:
        UserError: if there is no such column or folder, the number of labels is not that of the
            images, it is not said which image each is of, there is only one class, or its names
            are too many or too few.
    """
    if parameters.labels is None:
        return None
    found, place = labels_as_found(names, columns, parameters, has_order)
    return _named(found, parameters.class_names, place)


def labels_as_found(
    names: Sequence[str], columns: pd.DataFrame, parameters: IngestParameters, has_order: bool
) -> tuple[pd.Series, str]:
    """Return the label of each image as it was found, and what messages call its place.

    See ``labels_of``.
    """
    if parameters.labels == "folders":
        found, place = _by_folder(names), "ingest.labels 'folders'"
    elif parameters.labels == "column":
        found = column_of(columns, parameters.label_column, "ingest.label_column")
        place = f"ingest.label_column {parameters.label_column!r}"
    else:
        found, place = _of_file(names, parameters, has_order)
    return found.set_axis(range(len(found))), place


def _by_folder(names: Sequence[str]) -> pd.Series:
    """Return the name of each image's folder; None for one that lies in none."""
    folders = [PurePosixPath(name).parent for name in names]
    found = pd.Series([folder.name or None for folder in folders], dtype=object)
    place = "ingest.labels 'folders'"
    if found.isna().all():
        raise UserError(
            f"{place}: no image lies in a sub-folder, as {names[0]!r} does not; wanted one "
            "folder for each class, or null for images without labels"
        )
    different = set(folders)
    nested = sorted(f for f in different if different.intersection(f.parents) - {PurePosixPath()})
    if nested:
        raise UserError(
            f"{place}: images lie in {nested[0].parent.as_posix()} and in {nested[0].as_posix()} "
            "within it; which is the class? Wanted images in the innermost folders alone"
        )
    if found.isna().any():
        logger.warning("labels: %d images lie in no folder and have no label", found.isna().sum())
    return found


def _of_file(
    names: Sequence[str], parameters: IngestParameters, has_order: bool
) -> tuple[pd.Series, str]:
    """Return the labels of a file, each with its image, and what messages call them."""
    source, file = Path(parameters.source).expanduser(), parameters.label_file
    read = read_labels(source, file, parameters.limits.array_mb)
    place = f"ingest.label_file {file or 'beside ' + parameters.source}"
    if len(read) != len(names):
        raise UserError(f"{place}: found {len(read)} labels, wanted {len(names)}")
    order: Sequence[int] = range(len(names))
    how = "the images' own order"
    if not has_order:
        order, how = _stated_order(names, parameters, place)
    found = pd.Series(read.tolist(), index=list(order)).sort_index()
    pairs = "; ".join(f"{names[image]} ↔ {found[image]}" for image in list(order)[:_SHOWN])
    logger.info(
        "label file %s, in %s: %s, …", Path(file or f"beside {source.name}").name, how, pairs
    )
    return found, place


def _stated_order(
    names: Sequence[str], parameters: IngestParameters, place: str
) -> tuple[Sequence[int], str]:
    """Return the image of each label, as ``ingest.label_order`` says it."""
    rows = range(len(names))
    if parameters.label_order is None:
        raise UserError(
            f"{place}: nothing says which image each label is of; the images have names, the "
            f"first {list(names[:3])}. Say ingest.label_order: names_as_text or names_as_numbers, "
            "or give a table of names and labels"
        )
    if parameters.label_order == "names_as_text":
        return sorted(rows, key=lambda row: names[row]), "the order of the names as text"
    ends = [re.search(r"([0-9]+)$", PurePosixPath(name).stem) for name in names]
    numbers = [int(end.group()) if end else None for end in ends]
    unclear = [name for name, number in zip(names, numbers, strict=True) if number is None]
    twice = pd.Series(numbers, dtype=object)[pd.Series(numbers).duplicated()]
    if unclear or len(twice):
        why = f"{unclear[0]} ends in none" if unclear else f"{twice.iloc[0]} comes twice"
        raise UserError(
            f"ingest.label_order names_as_numbers: {why}; wanted names that each end in a number "
            "of their own"
        )
    order = sorted(rows, key=lambda row: numbers[row])  # type: ignore[arg-type, return-value]
    return order, "the order of the numbers that names end in"


def values_in_order(found: pd.Series) -> tuple[str, ...]:
    """Return the values of labels that occur, in the order in which ``class_names`` names them."""
    levels = levels_of(found)
    if all(level.isdecimal() for level in levels):
        return tuple(sorted(levels, key=int))  # folders 2 and 10 are words, but meant as numbers
    return levels


def column_of(columns: pd.DataFrame, name: str, parameter: str) -> pd.Series:
    """Return one of the tables' columns; raises ``UserError`` naming those there are."""
    if name not in columns:
        there = list(map(str, columns)) or "no column at all: ingest.context.tables names no table"
        raise UserError(f"{parameter}: there is no column {name!r}; found {there}")
    return columns[name]


def _named(found: pd.Series, class_names: Sequence[str] | None, place: str) -> pd.Series:
    levels = values_in_order(found)
    if len(levels) < 2:
        seen = f"the one class {levels[0]!r}" if levels else "no class"
        raise UserError(
            f"{place}: found {seen} in {len(found)} images, wanted at least 2; ingest.labels: null "
            "takes images without labels"
        )
    text = as_levels(found)
    small = [level.casefold() for level in levels]
    alike = sorted(level for level in levels if small.count(level.casefold()) > 1)
    if alike:
        logger.warning("%s: classes whose names differ in their case alone: %s", place, alike[:6])
    if class_names is None:
        return text
    if len(class_names) != len(levels):
        raise UserError(
            f"ingest.class_names: found {len(class_names)} names {list(class_names)}, wanted "
            f"{len(levels)}, one for each of {list(levels[:10])}"
        )
    return text.map(dict(zip(levels, class_names, strict=True)))

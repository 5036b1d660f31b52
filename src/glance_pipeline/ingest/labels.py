"""The class of each image, as its source or a table says it."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context import as_levels, levels_of
from glance_pipeline.errors import UserError
from glance_pipeline.ingest.arrays import read_labels


def labels_of(
    names: Sequence[str], columns: pd.DataFrame, parameters: IngestParameters
) -> pd.Series | None:
    """Return the class names of all images, or None where ``ingest.labels`` asks for none.

    Args:
        names: of the images.
        columns: of the tables, a row for each image.
        parameters: of the pipeline.

    Returns:
        Strings (N,); None for an image of unknown class.

    Raises:
        UserError: where there is no such column or folder, the number of labels is not that of the
            images, there is only one class, or its names are too many or too few.
    """
    if parameters.labels is None:
        return None
    if parameters.labels == "folders":
        found = pd.Series([PurePosixPath(name).parent.name or None for name in names], dtype=object)
        place = "ingest.labels 'folders'"
        if found.isna().all():
            raise UserError(
                f"{place}: no image lies in a sub-folder, as {names[0]!r} does not; wanted one "
                "folder for each class, or null for images without labels"
            )
    elif parameters.labels == "column":
        found = column_of(columns, parameters.label_column, "ingest.label_column")
        place = f"ingest.label_column {parameters.label_column!r}"
    else:
        found = pd.Series(read_labels(Path(parameters.source).expanduser(), parameters.label_file))
        place = f"ingest.label_file {parameters.label_file or 'beside ' + parameters.source}"
        if len(found) != len(names):
            raise UserError(f"{place}: found {len(found)} labels, wanted {len(names)}")
    return _named(found.set_axis(range(len(found))), parameters.class_names, place)


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
    if class_names is None:
        return text
    if len(class_names) != len(levels):
        raise UserError(
            f"ingest.class_names: found {len(class_names)} names {list(class_names)}, wanted "
            f"{len(levels)}, one for each of {list(levels[:10])}"
        )
    return text.map(dict(zip(levels, class_names, strict=True)))

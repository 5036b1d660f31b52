"""Which row of a table is about which image."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from glance_pipeline.context.matching import Match, forms_of, is_running, match, why_doubtful
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.number_format import format_share
from glance_pipeline.tables import TableReading, read_table
from glance_pipeline.tables.csv_text import UNNAMED

logger = logging.getLogger(__name__)

_SHOWN = 3  # pairs of an image and its row
_LONGEST = 40  # letters of a value that is shown

NAMES = frozenset(
    (
        *("index", "id", "number", "row", "image", "image_id", "file", "filename", "file_name"),
        *("name", "path", "img", "photo", "picture", UNNAMED),
    )
)
"""Numbers in columns of these names, or in the first column, may be those of images."""

_ROW_NUMBERS = frozenset((UNNAMED, "index", "__index_level_0__"))


def join_tables(
    tables: Sequence[str],
    key: str | None,
    names: Sequence[str],
    reading: TableReading | None = None,
    has_order: bool = False,
) -> pd.DataFrame:
    """Join tables with images, one after another, and show in the log which row is whose.

    Args:
        tables: paths.
        key: the column that names the images; None finds it in each table.
        names: names of the images.
        reading: how tables are read; None takes the defaults.
        has_order: whether images are known by their order; then a table of as many rows and no key
            is joined row by row.

    Returns:
        Frame with one row for each image and the columns of all tables but their keys, missing
        where no row names the image. Index: 0 … N−1.

    Raises:
        FileNotFoundError: if a table does not exist.
        UserError: if a table cannot be read, has no such column, matches no image, names an
            image twice, two tables have a column of one name, or a key that nobody named may match
            by chance.
    """
    joined = pd.DataFrame(index=pd.RangeIndex(len(names)))
    reading = reading or TableReading()
    for place in tables:
        path = Path(place).expanduser()
        frame = read_table(path, reading, NAMES if key is None else {key})
        if key is not None and key not in frame:
            there = list(map(str, frame))
            raise UserError(f"ingest.context.key: {path} has no column {key!r}; found {there}")
        column, found = _find(path, frame, key, names, has_order)
        rest = _without_row_numbers(path, frame.drop(columns=column or []))
        both = sorted(set(map(str, rest)) & set(map(str, joined)))
        if both:
            raise UserError(f"table {path}: an earlier table has columns {both} too; rename them")
        _show(path, frame, column, found, names)
        joined = joined.join(rest.reindex(found.rows).set_axis(joined.index))
    return joined


def _without_row_numbers(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the numbers of its rows, which say nothing of images."""
    numbers = [n for n in frame if str(n).lower() in _ROW_NUMBERS and is_running(frame[n])]
    if numbers:
        some = ", ".join(map(str, numbers))
        logger.info("context: %s: %s numbers the rows and is left out", path.name, some)
    return frame.drop(columns=numbers)


def _show(
    path: Path, frame: pd.DataFrame, column: str | None, found: Match, names: Sequence[str]
) -> None:
    """Say in the log by what a table is joined, with the first pairs."""
    by = f"{found.form} in its column {column!r}" if column else found.form
    logger.info(
        "context: %s has a row for %d of %d images (%s), by %s: %s",
        path.name,
        found.count,
        len(names),
        format_share(found.count / len(names)),
        by,
        "; ".join(_pairs(frame, column, found, names)),
    )
    doubt = why_doubtful(frame[column], names, found) if column else ""
    if doubt:
        logger.warning("context: %s: its column %r may be one off: %s", path.name, column, doubt)


def _pairs(
    frame: pd.DataFrame, column: str | None, found: Match, names: Sequence[str]
) -> list[str]:
    """Return some images with the key and the first values of their rows."""
    pairs = []
    others = [name for name in frame if name != column][:2]
    for image in np.flatnonzero(found.rows >= 0)[:_SHOWN]:
        row = found.rows[image]
        key = _short(frame[column].iloc[row]) if column else f"row {row + 1}"
        values = ", ".join(f"{_short(name)} {_short(frame[name].iloc[row])}" for name in others)
        pairs.append(f"{names[image]} ↔ {key}" + (f" ({values})" if values else ""))
    return pairs


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _candidates(frame: pd.DataFrame) -> list[str]:
    """Return the columns that may name images: a column of ages would match numbers by chance."""
    return [
        str(name)
        for place, name in enumerate(frame)
        if place == 0 or str(name).lower() in NAMES or not is_numeric_dtype(frame[name])
    ]


def _find(
    path: Path, frame: pd.DataFrame, key: str | None, names: Sequence[str], has_order: bool
) -> tuple[str | None, Match]:
    """Return the column that names most images; None if rows are images.

    Numbers match images by chance, a running number of the rows most of all. So a column that names
    them by path or file name goes before one that does by number; of equals the first is taken.
    """
    columns = [key] if key is not None else _candidates(frame)
    looking = key is None
    wanted = min(len(frame), len(names)) / 2 if looking else 1  # fewer may well be chance
    best: tuple[str, Match] | None = None
    repeated = ""
    forms = forms_of(names)
    for column in columns:
        found, twice = match(path, frame[column], forms, names)
        repeated = repeated or twice
        if found.count >= wanted and found.rank > (best[1].rank if best else (False, 0)):
            best = column, found
    if best is not None:
        doubt = why_doubtful(frame[best[0]], names, best[1]) if looking else ""
        if doubt:
            raise UserError(
                f"table {path}: no column names the images but {best[0]!r}, and {doubt}; that may "
                f"be one off. If it is right, say ingest.context.key: {best[0]}; otherwise name a "
                "column of file names"
            )
        return best
    if looking and has_order and len(frame) == len(names):
        return None, Match("its order", np.arange(len(names)))
    if repeated:
        raise UserError(repeated)
    said = frame[columns[0]].astype(str).head(3).tolist()
    others = f" (nor does any of {columns[1:]})" if columns[1:] else ""
    raise UserError(
        f"table {path}: it matches no image: its column {columns[0]!r} says {said}, …{others}; the "
        f"images are {list(names[:3])}, …; name the column in ingest.context.key"
    )

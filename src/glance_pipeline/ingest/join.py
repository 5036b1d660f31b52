"""Which row of a table is about which image."""

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from glance_pipeline.errors import UserError
from glance_pipeline.ingest.files import SUFFIXES
from glance_pipeline.ingest.tables import read_columns, read_table

logger = logging.getLogger(__name__)


def _path(key: str) -> str:
    return unicodedata.normalize("NFC", key).strip().replace("\\", "/").removeprefix("./")


def _name(key: str) -> str:
    return PurePosixPath(_path(key)).name


def _without_suffix(key: str) -> str:
    suffix = PurePosixPath(key).suffix
    return key.removesuffix(suffix) if suffix.lower() in SUFFIXES else key


def _number(key: str) -> str | None:
    stem = _without_suffix(_name(key)).removesuffix(".0")
    return str(int(stem)) if stem.isdecimal() else None


FORMS: dict[str, Callable[[str], str | None]] = {
    "path": _path,
    "path without suffix": lambda key: _without_suffix(_path(key)),
    "file name": _name,
    "file name without suffix": lambda key: _without_suffix(_name(key)),
    "number": _number,
}
"""The ways in which a key may name an image, the strictest first."""


_NAMES = frozenset(
    ("index", "id", "number", "row", "image", "image_id", "file", "filename", "file_name", "name")
)
"""Numbers in columns of these names, or in the first column, may be those of images."""


@dataclass(frozen=True)
class _Match:
    """What joins a key column with the images.

    Attributes:
        form: name of the form that both are brought into.
        rows: for each image the row of the table, −1 where there is none.
    """

    form: str
    rows: np.ndarray

    @property
    def count(self) -> int:
        return int((self.rows >= 0).sum())

    @property
    def rank(self) -> tuple[bool, int]:
        """What the better of two matches has more of."""
        return self.form != "number", self.count


def join_tables(tables: Sequence[str], key: str | None, names: Sequence[str]) -> pd.DataFrame:
    """Join tables with images, one after another.

    Args:
        tables: paths.
        key: the column that names the images; None finds it in each table.
        names: of the images.

    Returns:
        Frame with a row for each image and the columns of all tables but their keys, missing where
        no row names the image. Index: 0 … N−1.

    Raises:
        FileNotFoundError: where a table does not exist.
        UserError: where a table cannot be read, has no such column, matches no image, names an
            image twice, or two tables have a column of one name.
    """
    joined = pd.DataFrame(index=pd.RangeIndex(len(names)))
    for place in tables:
        path = Path(place).expanduser()
        columns = read_columns(path)
        if key is not None and key not in columns:
            raise UserError(f"ingest.context.key: {path} has no column {key!r}; found {columns}")
        frame = read_table(path, [key] if key is not None else _text_columns(path, columns))
        found, match = _find(path, frame, key, names)
        rest = frame.drop(columns=found or [])
        both = sorted(set(map(str, rest)) & set(map(str, joined)))
        if both:
            raise UserError(f"table {path}: an earlier table has columns {both} too; rename them")
        joined = joined.join(rest.reindex(match.rows).set_axis(joined.index))
        logger.info(
            "context: %s has a row for %d of %d images, by %s",
            path.name,
            match.count,
            len(names),
            f"{match.form} in its column {found}" if found else match.form,
        )
    return joined


def _text_columns(path: Path, columns: list[str]) -> list[str]:
    """Return columns that hold numbers written with leading zeros, as file names are."""
    if path.suffix == ".parquet":
        return []
    some = pd.read_csv(path, dtype=str, nrows=1000, usecols=columns, keep_default_na=False)
    return [name for name in columns if some[name].str.fullmatch(r"0\d+").any()]


def _candidates(frame: pd.DataFrame) -> list[str]:
    """Return the columns that may name images: a column of ages would match numbers by chance."""
    return [
        str(name)
        for place, name in enumerate(frame)
        if place == 0 or str(name).lower() in _NAMES or not is_numeric_dtype(frame[name])
    ]


def _find(
    path: Path, frame: pd.DataFrame, key: str | None, names: Sequence[str]
) -> tuple[str | None, _Match]:
    """Return the column that names most images; None where rows are images.

    Numbers match images by chance, a running number of the rows most of all. So a column that names
    them by path or file name goes before one that does by number; of equals the first is taken.
    """
    forms = {form: [change(name) for name in names] for form, change in FORMS.items()}
    columns = [key] if key is not None else _candidates(frame)
    looking = key is None
    wanted = min(len(frame), len(names)) / 2 if looking else 1  # fewer may well be chance
    best: tuple[str, _Match] | None = None
    repeated = ""
    for column in columns:
        match, twice = _match(path, frame[column], forms, names)
        repeated = repeated or twice
        if match.count >= wanted and match.rank > (best[1].rank if best else (False, 0)):
            best = column, match
    if best is not None:
        return best
    if looking and len(frame) == len(names) and all(name.isdecimal() for name in names):
        return None, _Match("its order", np.arange(len(names)))
    if repeated:
        raise UserError(repeated)
    said = frame[columns[0]].astype(str).head(3).tolist()
    others = f" (nor does any of {columns[1:]})" if columns[1:] else ""
    raise UserError(
        f"table {path}: it matches no image: its column {columns[0]!r} says {said}, …{others}; the "
        f"images are {list(names[:3])}, …; name the column in ingest.context.key"
    )


def _match(
    path: Path, keys: pd.Series, forms: dict[str, list[str | None]], names: Sequence[str]
) -> tuple[_Match, str]:
    """Return the form in which a column names most images, each only once.

    Beside it, where no form does: what is named twice by the strictest form that matches at least
    half of the images that it could.
    """
    written = [None if pd.isna(key) else str(key) for key in keys]
    best = _Match("nothing", np.full(len(names), -1))
    repeated = ""
    for form, wanted in forms.items():
        said = [None if key is None else FORMS[form](key) for key in written]
        row_of = {key: row for row, key in enumerate(said) if key is not None}
        rows = np.array([-1 if key is None else row_of.get(key, -1) for key in wanted])
        count = int((rows >= 0).sum())
        if count <= best.count:
            continue
        twice = _twice(path, keys, said, wanted, names)
        if not twice:
            best = _Match(form, rows)
        elif count >= min(len(names), len(row_of)) / 2:
            repeated = repeated or twice
    return best, "" if best.count else repeated


def _twice(
    path: Path,
    keys: pd.Series,
    said: list[str | None],
    wanted: list[str | None],
    names: Sequence[str],
) -> str:
    """Say which key names two images, or which image is named by two rows; empty where none is."""
    images = Counter(wanted)
    counted = Counter(key for key in said if key is not None and key in images)
    rows = [key for key, times in counted.items() if times > 1]
    if rows:
        first = [row for row, key in enumerate(said) if key == rows[0]][:2]
        return (
            f"table {path}: column {keys.name!r}: {len(rows)} images are named more than once; "
            f"rows {first[0] + 1} and {first[1] + 1} both say {keys.iloc[first[0]]!r}"
        )
    several = [key for key in counted if images[key] > 1]
    if several:
        same = [name for name, key in zip(names, wanted, strict=True) if key == several[0]][:2]
        return (
            f"table {path}: column {keys.name!r}: {several[0]!r} may be {same[0]} or {same[1]}; "
            "wanted paths that tell them apart"
        )
    return ""

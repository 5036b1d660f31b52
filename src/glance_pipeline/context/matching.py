"""In which form a column of keys names images, and whether that may be chance."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from glance_pipeline.images import SUFFIXES


def _path(key: str) -> str:
    return unicodedata.normalize("NFC", key).strip().replace("\\", "/").removeprefix("./")


def _name(key: str) -> str:
    return PurePosixPath(_path(key)).name


def _without_suffix(key: str) -> str:
    suffix = PurePosixPath(key).suffix
    return key.removesuffix(suffix) if suffix.lower() in SUFFIXES else key


def _number(key: str) -> str | None:
    stem = _without_suffix(_name(key)).removesuffix(".0")
    return str(int(stem)) if stem.isascii() and stem.isdecimal() and len(stem) < 20 else None


FORMS: dict[str, Callable[[str], str | None]] = {
    "path": _path,
    "path without suffix": lambda key: _without_suffix(_path(key)),
    "file name": _name,
    "file name without suffix": lambda key: _without_suffix(_name(key)),
    "number": _number,
}
"""The ways in which a key may name an image, the strictest first."""


@dataclass(frozen=True)
class Match:
    """What joins a key column with the images.

    Attributes:
        form: name of the form that both are brought into.
        rows: for each image the row of the table, −1 where there is none.
        numbers: whether the keys are but numbers.
    """

    form: str
    rows: np.ndarray
    numbers: bool = False

    @property
    def count(self) -> int:
        """Images that have a row."""
        return int((self.rows >= 0).sum())

    @property
    def rank(self) -> tuple[bool, int]:
        """What the better of two matches has more of."""
        return not self.numbers, self.count


def forms_of(names: Sequence[str]) -> dict[str, list[str | None]]:
    """Return images' names in each of the forms."""
    return {form: [change(name) for name in names] for form, change in FORMS.items()}


def match(
    path: Path, keys: pd.Series, forms: dict[str, list[str | None]], names: Sequence[str]
) -> tuple[Match, str]:
    """Return the form in which a column names most images, each only once.

    Beside it, where no form does: what is named twice by the strictest form that matches at least
    half of the images that it could.

    Args:
        path: path of the table.
        keys: the column.
        forms: forms of the images' names, of ``forms_of``.
        names: names of the images.
    """
    written = [None if pd.isna(key) else str(key) for key in keys]
    best = Match("nothing", np.full(len(names), -1))
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
            best = Match(form, rows, form == "number" or is_numeric_dtype(keys))
        elif count >= min(len(names), len(row_of)) / 2:
            repeated = repeated or twice
    return best, "" if best.count else repeated


def why_doubtful(keys: pd.Series, names: Sequence[str], found: Match) -> str:
    """Say why a match by numbers may be the wrong one; empty if it is none, or is not.

    A running number of the rows matches images whatever they are, and where some are left over on
    either side it may be one off: each row is then about the neighbour of its image.
    """
    if not found.numbers or (found.count == len(names) and found.count == len(keys)):
        return ""
    said = [None if pd.isna(key) else _number(str(key)) for key in keys]
    numbers = [int(key) for key in said if key is not None]
    images = [int(key) for key in map(_number, names) if key is not None]
    left = f"{found.count} of {len(names)} images and of {len(keys)} rows match"
    there = set(numbers)
    for by in (-1, 1):
        if found.count < len(names) == sum(image + by in there for image in images):
            return f"by number {left}, but all images would match numbers of one {_more(by)}"
    if is_running(keys):
        return f"it is a running number of the rows, {numbers[0]} … {numbers[-1]}, by which {left}"
    return ""


def is_running(keys: pd.Series) -> bool:
    """Say whether a column numbers the rows, one after another."""
    if keys.isna().any():
        return False
    numbers = [_number(str(key)) for key in keys]
    first = numbers[0]
    return first is not None and numbers == [str(int(first) + row) for row in range(len(numbers))]


def _more(by: int) -> str:
    return "more" if by > 0 else "less"


def _twice(
    path: Path,
    keys: pd.Series,
    said: list[str | None],
    wanted: list[str | None],
    names: Sequence[str],
) -> str:
    """Say which key names two images, or which image is named by two rows; empty if none is."""
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

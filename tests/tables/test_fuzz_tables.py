"""Tables of any words and numbers are read to the same values, or refused; and so are any bytes."""

import csv
import gzip
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from glance_pipeline.context.join import join_tables
from glance_pipeline.support.errors import UserError
from glance_pipeline.tables import TableReading, read_table
from glance_pipeline.tables.csv_text import MISSING, UNNAMED
from helpers.fuzzing import settings_for
from helpers.spoilt import only, spoilt

READING = TableReading(most_megabytes=4)

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0\r")
WORDS = st.text(LETTERS, max_size=8) | st.sampled_from(
    (*MISSING, "True", "1_000", "0x1f", "1,5", "1,234.5", "007", "1e5", " 1", "+5", "inf", "-0",
     "2020-01-01", "9007199254740993", "1.0", "=1+1", "#", "''", '"', "a,b", "a;b", "a\tb", "a\nb")
)  # fmt: skip
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.integers(-9, 9)
CELLS = st.one_of(
    st.lists(WORDS, min_size=3, max_size=3),
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.lists(NUMBERS | st.none(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.sampled_from(("1", "2", "NA", "None", "")), min_size=3, max_size=3),
)
NAMES = st.text(LETTERS.filter(lambda c: c != "\n"), min_size=1, max_size=6)
TABLES = st.dictionaries(NAMES, CELLS, min_size=1, max_size=4)

WAYS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "without index": {"index": False},
    "all quoted": {"index": False, "quoting": csv.QUOTE_ALL},
    "semicolons": {"index": False, "sep": ";"},
    "decimal commas": {"index": False, "sep": ";", "decimal": ","},
    "tabs": {"index": False, "sep": "\t"},
    "utf-16": {"index": False, "encoding": "utf-16"},
    "mark": {"index": False, "encoding": "utf-8-sig"},
    "lines of Windows": {"index": False, "lineterminator": "\r\n"},
    "NA": {"index": False, "na_rep": "NA"},
}


def written(cells: list[Any], way: dict[str, Any]) -> list[str]:
    """Return a column as pandas writes it."""
    text = io.StringIO()
    options = {k: v for k, v in way.items() if k in ("decimal", "na_rep")}
    frame = pd.DataFrame({"x": pd.Series(cells)})
    frame.to_csv(text, index=False, sep=";", quoting=csv.QUOTE_ALL, lineterminator="\n", **options)
    return [row[0] for row in csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=";")][
        1:
    ]


def is_same(text: str, found: Any, way: dict[str, Any], numbers: bool) -> bool:
    """Say whether what was read is what was written."""
    if isinstance(found, str):
        return found == text
    if pd.isna(found):
        return text == "" or (numbers and text.strip() in MISSING)
    plain = text.strip()
    if way.get("sep", ",") != ",":
        plain = plain.replace(",", ".")
    return float(plain) == float(found) and (
        not isinstance(found, int | np.integer) or int(plain) == int(found)
    )


@settings_for(150)
@given(table=TABLES, way=st.sampled_from(sorted(WAYS)), zipped=st.booleans())
@example(table={"cls": ["None", "NA", "x"]}, way="as it is", zipped=False)
@example(table={"n": [1, None, 2**53 + 1]}, way="without index", zipped=True)
def test_what_pandas_writes_is_read_or_refused(table, way, zipped, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / ("t.csv.gz" if zipped else "t.csv")
    frame = pd.DataFrame({name: pd.Series(cells) for name, cells in table.items()})
    frame.to_csv(path, **WAYS[way])
    with only(UserError):
        found = read_table(path, READING)
        names = [name.strip() for name in table]
        index = [] if "index" in WAYS[way] else [UNNAMED]
        kept = [n for n in names if n]
        assert list(found) == [*index, *kept] or (not names[0] and not index)
        assert len(found) == 3
        for name, cells in zip(names, table.values(), strict=True):
            if name not in found:
                continue
            numbers = pd.api.types.is_numeric_dtype(found[name])
            for text, value in zip(written(cells, WAYS[way]), found[name].tolist(), strict=True):
                assert is_same(text, value, WAYS[way], numbers), (name, text, value)


@settings_for(60)
@given(table=TABLES)
def test_what_pandas_writes_as_parquet_is_read_or_refused(table, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "t.parquet"
    frame = pd.DataFrame({name: pd.Series(cells) for name, cells in table.items()})
    try:
        frame.to_parquet(path)
    except (OverflowError, ValueError, TypeError):  # a column that parquet has no type for
        assume(False)
    with only(UserError):
        found = read_table(path, READING)
        for name in table:
            for one, value in zip(frame[name].tolist(), found[name].tolist(), strict=True):
                same = (pd.isna(one) and pd.isna(value)) or one == value or str(one) == value
                assert same, (name, one, value)


TEXTS = [
    b"file,age,who\n0.png,1.5,a\n1.png,2,b\n",
    b'\xef\xbb\xbfid;x\r\n"a;b";1,5\r\nc;2,5\r\n',
    "näme\tx\n1\t2\n".encode("utf-16"),
    gzip.compress(b"a,b\n1,2\n3,4\n"),
    b"a,b,\n1,2,\n",
]


@settings_for(200)
@given(content=spoilt(TEXTS) | st.binary(max_size=60))
def test_any_bytes_are_a_table_or_are_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    with only(UserError):
        frame = read_table(path, READING)
        assert len(frame) and len(set(frame)) == frame.shape[1]


def parquet_table() -> bytes:
    file = io.BytesIO()
    frame = pd.DataFrame(
        {"file": ["0", "1"], "age": [1.5, None], "cat": pd.Categorical(["x", "y"])}
    )
    frame.to_parquet(file)
    return file.getvalue()


@settings_for(120)
@given(content=spoilt([parquet_table()]))
def test_any_bytes_are_a_parquet_table_or_are_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    path.write_bytes(content)
    with only(UserError):
        read_table(path, READING)


KEYS = st.from_regex(r"\A(a/|b/c/)?(IMG-)?0{0,3}[0-9]{1,3}\Z")


@settings_for(80)
@given(
    names=st.lists(KEYS, min_size=2, max_size=12, unique=True),
    suffix=st.sampled_from((".png", ".JPG", ".jpeg")),
    form=st.sampled_from(("path", "name", "stem", "backslash")),
    order=st.randoms(use_true_random=False),
    stated=st.booleans(),
)
def test_a_join_is_right_or_refused(names, suffix, form, order, stated, tmp_path_factory):
    images = [name + suffix for name in names]
    keys = {
        "path": images,
        "name": [Path(image).name for image in images],
        "stem": [Path(image).stem for image in images],
        "backslash": [image.replace("/", "\\") for image in images],
    }[form]
    rows = list(range(len(images)))
    order.shuffle(rows)
    path = tmp_path_factory.getbasetemp() / "join.csv"
    frame = pd.DataFrame({"key": [keys[row] for row in rows], "x": [row + 0.5 for row in rows]})
    frame.to_csv(path, index=order.random() < 0.5)
    with only(UserError):
        found = join_tables([str(path)], "key" if stated else None, images, READING)["x"]
        assert all(math.isnan(x) or x == row + 0.5 for row, x in enumerate(found))


@pytest.mark.parametrize("shift", [-1, 1])
@settings_for(40)
@given(count=st.integers(3, 40), order=st.randoms(use_true_random=False))
def test_a_running_number_that_is_one_off_is_never_joined_unsaid(
    shift, count, order, tmp_path_factory
):
    images = [f"{number}.png" for number in range(5, 5 + count)]
    rows = list(range(count))
    order.shuffle(rows)
    path = tmp_path_factory.getbasetemp() / "off.csv"
    frame = pd.DataFrame({"id": [5 + shift + row for row in rows], "x": rows})
    frame.to_csv(path, index=False)
    with pytest.raises(UserError, match="may be one off"):
        join_tables([str(path)], None, images, READING)

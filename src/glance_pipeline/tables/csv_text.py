"""CSV files, read by rules that are stated: no value is guessed, cut, moved or renamed unsaid.

Every row has as many values as there are names. A value is a number where all of its column are,
and otherwise the words that are written. Nothing is missing but what is empty, and in a column of
numbers the usual words for it.
"""

import csv
import io
import logging
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from glance_pipeline.support.errors import UserError, in_one_line
from glance_pipeline.tables.arrow import EXACT

logger = logging.getLogger(__name__)

UNNAMED = "(unnamed)"
"""What the first column is called where it has no name, as pandas writes an index."""

MISSING = ("NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "None", "none", "<NA>", "#N/A")
"""Words that are taken for nothing in a column whose other values are numbers."""

SEPARATORS = (",", ";", "\t", "|")
MOST_COLUMNS = 10_000
_HEAD = 2**20  # bytes that hold the names and the first row
_BLOCK = 2**23  # bytes that one row may have at most
_WORDS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}

_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?[iI]nf(inity)?$"
_WHOLE = r"^[+-]?[0-9]+$"
_PADDED = r"^[+-]?0[0-9]+$"
_PLAIN = r"^-?(0|[1-9][0-9]*)(\.0)?$"
_COMMA = r"^[+-]?[0-9]+,[0-9]+$"
_THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV file is written.

    Attributes:
        names: names of its columns.
        separator: between the values of a row.
        width: values of a row; more than there are names where each row ends in a separator.
        lines: that the names take up.
    """

    names: list[str]
    separator: str
    width: int
    lines: int


def decoded(content: bytes, encoding: str | None, place: str) -> bytes:
    """Return a CSV file's content in UTF-8, without the mark that it may begin with.

    Raises:
        UserError: if it is not in the encoding that is named, or in none that is told from it.
    """
    if encoding is None:
        utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        encoding = "utf-16" if utf16 else "utf-8-sig"
        if utf16:
            logger.info("%s: it is read as UTF-16", place)
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise UserError(f"ingest.context.encoding: found {encoding!r}, an unknown one") from error
    except UnicodeError as error:
        raise UserError(
            f"{place}: it is not written in {encoding.removesuffix('-sig').upper()} ({error}); "
            "save it as UTF-8, or name its encoding in ingest.context.encoding, as latin-1 or "
            "cp1252"
        ) from error
    if "\0" in text:
        raise UserError(f"{place}: it holds zero bytes, which no CSV file does")
    return text.removeprefix("\ufeff").encode("utf-8")


def layout_of(content: bytes, separator: str | None, place: str) -> CsvLayout:
    """Tell how a CSV file is written from its names and its first row.

    Args:
        content: in UTF-8.
        separator: that was named; None finds it.
        place: what messages call the file.

    Raises:
        UserError: if no separator fits both, several do, or a name comes twice or is none.
    """
    head = content[:_HEAD].decode("utf-8", errors="ignore")
    if not head.strip():
        raise UserError(f"{place}: it cannot be read: it is empty, wanted names and rows")
    tried = SEPARATORS if separator is None else (separator,)
    ways = {one: _first_rows(head, one, len(content) > _HEAD, place) for one in tried}
    fits = [one for one, (rows, _) in ways.items() if _fits(rows)]
    if len(fits) > 1 and separator is None:
        wide = max(len(ways[one][0][0]) for one in fits)
        fits = [one for one in fits if len(ways[one][0][0]) > wide / 2]
    if len(fits) > 1:
        words = " or ".join(_WORDS[one] for one in fits)
        raise UserError(
            f"{place}: its values may be separated by {words}; say which in "
            "ingest.context.separator"
        )
    # Where none fits it is one column, or the first row is wrong and shall be named.
    usual = "," if separator is None else separator
    chosen = fits[0] if fits else max(ways, key=lambda one: (len(ways[one][0][0]), one == usual))
    if chosen != "," and separator is None:
        logger.info("%s: its values are separated by %s", place, _WORDS[chosen])
    rows, lines = ways[chosen]
    names, width = _checked_names(rows, place)
    return CsvLayout(names, chosen, width, lines)


def _fits(rows: list[list[str]]) -> bool:
    names, *others = rows
    return len(names) > 1 and all(len(row) in (len(names), len(names) + 1) for row in others)


def _first_rows(head: str, separator: str, cut: bool, place: str) -> tuple[list[list[str]], int]:
    """Return the names and up to three rows, and the lines that the names take up."""
    rows: list[list[str]] = []
    lines = 0
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    try:
        for row in reader:
            if cut and reader.line_num > head.count("\n"):
                break  # maybe not the whole row
            if not row:
                continue
            rows.append(row)
            lines = lines or reader.line_num
            if len(rows) == 4:
                break
    except csv.Error as error:
        raise UserError(f"{place}: it cannot be read ({error})") from error
    if rows and lines > 1 and len(rows[0]) == 1 and head.lstrip(" ").startswith(("\n", "\r")):
        raise UserError(f"{place}: its first line is empty; wanted the names of its columns there")
    if not rows:
        raise UserError(f"{place}: it cannot be read: no row of names was found in {_HEAD:,} bytes")
    return rows, lines


def _checked_names(rows: list[list[str]], place: str) -> tuple[list[str], int]:
    """Return the names of the columns and the values that a row has."""
    names = [name.strip() for name in rows[0]]
    if len(names) > MOST_COLUMNS:
        raise UserError(f"{place}: found {len(names):,} columns, wanted at most {MOST_COLUMNS:,}")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UserError(f"{place}: found more than one column named {twice}")
    if names[0] == "":
        names[0] = UNNAMED
        logger.info("%s: its first column has no name and is called %s here", place, UNNAMED)
    first = rows[1] if len(rows) > 1 else rows[0]
    extra = first[len(names) :]
    if any(value.strip() for value in extra) or len(extra) > 1:
        raise UserError(
            f"{place}: it has {len(names)} names, its first row {len(first)} values: "
            f"{', '.join(first[:6])}, …; wanted a name for each column"
        )
    return names, max(len(names), len(first))


def parse_csv(content: bytes, layout: CsvLayout, place: str) -> pa.Table:
    """Read all values as they are written.

    Raises:
        UserError: if a row has more or fewer values than there are names, a quotation mark is
            not closed, or a column without a name holds values.
    """
    names = [str(number) for number in range(layout.width)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            arrow_csv.ReadOptions(
                use_threads=False,  # so that the row of an error is known
                column_names=names,
                skip_rows=layout.lines,
                block_size=_BLOCK,
            ),
            arrow_csv.ParseOptions(
                delimiter=layout.separator,
                newlines_in_values=True,
                ignore_empty_lines=layout.width > 1,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return pa.table({name: pa.array([], pa.string()) for name in layout.names})
        raise UserError(f"{place}: it cannot be read ({in_one_line(error)[:300]})") from error
    if content.count(b'"') % 2 and any(_any(column, "\n") for column in table.columns):
        raise UserError(f"{place}: a quotation mark is not closed; it takes in the rows after it")
    empty = [place for place, name in enumerate(layout.names) if not name]
    for number in [*empty, *range(len(layout.names), layout.width)]:
        values = table.column(number).filter(pc.not_equal(table.column(number), ""))
        if len(values):
            raise UserError(
                f"{place}: its column {number + 1} has no name, but values, as {values[0]}; wanted "
                "a name for each column"
            )
    if layout.width > len(layout.names) or empty:
        logger.info("%s: its rows end in a separator; the empty column there is left out", place)
    kept = [number for number, name in enumerate(layout.names) if name]
    return table.select(kept).rename_columns([layout.names[number] for number in kept])


def converted(table: pa.Table, separator: str, as_words: frozenset[str], place: str) -> pa.Table:
    """Return the columns as numbers where all their values are, otherwise as words.

    Args:
        table: all columns are strings.
        separator: separator of the file; where it is no comma, numbers may have a decimal comma.
        as_words: columns, in small letters, that stay words where a value is not written as
            whole numbers are, so that a class may be called NA: labels, keys and splits.
        place: what messages call the file.
    """
    columns = [
        _converted(table.column(name), name, separator, name.lower() in as_words, place)
        for name in table.column_names
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _converted(
    column: pa.ChunkedArray, name: str, separator: str, as_words: bool, place: str
) -> pa.ChunkedArray:
    known = pc.if_else(pc.equal(column, ""), None, column)
    plain = pc.utf8_trim_whitespace(known)
    words = None if as_words else pa.array(MISSING)
    numbers = plain if words is None else pc.if_else(pc.is_in(plain, words), None, plain)
    if numbers.null_count == len(numbers):
        return known
    with_comma = numbers.filter(pc.match_substring(numbers, ","))
    commas = len(with_comma) > 0 and _all(numbers, f"{_COMMA}|{_WHOLE}")
    if separator != "," and commas and not _all(with_comma, _THOUSANDS):
        logger.info("%s: the comma in %s is read as a decimal point", place, name)
        numbers = pc.replace_substring(numbers, ",", ".")
    if not _all(numbers, _PLAIN if as_words else _NUMBER) or _any(numbers, _PADDED):
        if len(with_comma) and _all(numbers, f"{_COMMA}|{_THOUSANDS}|{_WHOLE}"):
            logger.warning(
                "%s: the values of %s, as %s, are taken for words; write numbers with a point and "
                "without commas", place, name, numbers.drop_null()[0],
            )  # fmt: skip
        return known
    missing = numbers.null_count - known.null_count
    if missing:
        found = pc.unique(plain.filter(pc.is_in(plain, words))).to_pylist()
        logger.info("%s: %s is missing where it says %s (%d)", place, name, found, missing)
    return _as_numbers(numbers, known, name, place)


def _as_numbers(
    numbers: pa.ChunkedArray, known: pa.ChunkedArray, name: str, place: str
) -> pa.ChunkedArray:
    if not _all(numbers, _WHOLE):
        return numbers.cast(pa.float64())
    try:
        whole = pc.utf8_ltrim(numbers, "+").cast(pa.int64())
        ends = pc.min_max(whole)
        if ends["min"].as_py() >= -EXACT and ends["max"].as_py() <= EXACT:
            return whole
    except pa.ArrowInvalid:
        pass
    logger.info("%s: the numbers of %s are too long for numbers and stay words", place, name)
    return known


def _all(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern), min_count=0).as_py())


def _any(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern), min_count=0).as_py())

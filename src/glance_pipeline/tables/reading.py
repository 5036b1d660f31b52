"""Tables of what is known of images: CSV and parquet files."""

import gzip
import io
import logging
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.support.errors import UserError
from glance_pipeline.tables import csv_text
from glance_pipeline.tables.arrow import as_frame, batches_of, bounded, check_size

logger = logging.getLogger(__name__)

_ROWS = 2**16  # of a parquet file that are read together at most
_GZIP, _PARQUET, _ZIP, _OLD_EXCEL = b"\x1f\x8b", b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_OTHERS = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods", ".numbers"), "a spreadsheet"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    **dict.fromkeys((".feather", ".arrow", ".orc", ".h5", ".hdf5", ".mat"), "another format"),
    **dict.fromkeys((".sav", ".dta", ".sas7bdat", ".rds", ".rdata"), "a statistics program's"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "a Python program"),
    **dict.fromkeys((".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz"), "an archive"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), "a data base"),
}
"""Suffixes of tables that are not read, and what they are."""


@dataclass(frozen=True)
class TableReading:
    """How tables are read.

    Attributes:
        separator: separator of CSV files; None finds it.
        encoding: encoding of CSV files; None takes UTF-8, or UTF-16 by its mark.
        most_megabytes: of a table in memory.
        as_words: columns in which only what is empty is missing, and numbers are plain ones: keys,
            labels, splits, groups; in letters of any case.
    """

    separator: str | None = None
    encoding: str | None = None
    most_megabytes: float = 500
    as_words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, parameters: IngestParameters) -> "TableReading":
        """Return how the pipeline's parameters say that tables are read."""
        words = {parameters.group, parameters.split_column}
        if parameters.labels == "column":
            words.add(parameters.label_column)
        context = parameters.context
        return cls(
            context.separator,
            context.encoding,
            parameters.limits.table_mb,
            frozenset(name for name in words if name is not None),
        )


def read_table(
    path: Path, reading: TableReading, also_as_words: Collection[str] = ()
) -> pd.DataFrame:
    """Read a table.

    Args:
        path: a parquet file, or a CSV file, zipped by gzip or not.
        reading: how.
        also_as_words: more columns of the kind of ``Reading.as_words``.

    Returns:
        Frame with a RangeIndex. A column of a CSV file is of numbers where all its values are,
        otherwise of words; see ``csv_text``.

    Raises:
        FileNotFoundError: if there is no such file.
        UserError: if it is no table, cannot be read, has no row, a name comes twice, or it is
            too large.
    """
    if not path.exists():
        raise FileNotFoundError(f"ingest.context.tables: there is no file {path.absolute()}")
    if not path.is_file():
        raise UserError(f"ingest.context.tables: {path} is no file; wanted a CSV or parquet file")
    try:
        if _kind(path) == "parquet":
            frame = _read_parquet(path, reading)
        else:
            frame = _read_csv(path, reading, reading.as_words.union(also_as_words))
    except UserError:
        raise
    except Exception as error:  # a broken file raises anything in pyarrow, gzip, …
        raise UserError(f"table {path}: it cannot be read ({error})") from error
    if frame.empty:
        raise UserError(f"table {path}: found no row, wanted one for each image")
    return frame


def _kind(path: Path) -> str:
    """Tell what a table is: by its first bytes, and by its suffix what it is not."""
    with path.open("rb") as file:
        head = file.read(8)
    suffix = path.suffix.lower()
    if head.startswith(_PARQUET) or suffix in (".parquet", ".pq"):
        return "parquet"
    what = _OTHERS.get(suffix)
    if what is None and head.startswith((_ZIP, _OLD_EXCEL)):
        what = "a spreadsheet or an archive"
    if what is not None:
        raise UserError(
            f"table {path}: found {what} ({suffix or 'by its content'}), wanted CSV or parquet; "
            "save it as CSV in UTF-8"
        )
    return "csv"


def _read_parquet(path: Path, reading: TableReading) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        _check_names(names, path)
        place = f"table {path}"
        check_size(file.metadata.num_rows, len(names), place, reading.most_megabytes)
        batches = bounded(batches_of(path, _ROWS), place, reading.most_megabytes)
        table = pa.Table.from_batches(batches, file.schema_arrow)
    frame = as_frame(table)
    index = [name for name in names if name.startswith("__index_level_")]
    if index:
        logger.info("table %s: its index is read as the column %s", path.name, ", ".join(index))
    return frame


def _check_names(names: list[str], path: Path) -> None:
    if len(names) > csv_text.MOST_COLUMNS:
        raise UserError(
            f"table {path}: found {len(names):,} columns, wanted at most {csv_text.MOST_COLUMNS:,}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"table {path}: found more than one column named {twice}")


def _read_csv(path: Path, reading: TableReading, as_words: frozenset[str]) -> pd.DataFrame:
    place = f"table {path}"
    content = csv_text.decoded(_content(path, reading), reading.encoding, place)
    separator = reading.separator
    if separator is None and path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        separator = "\t"
    layout = csv_text.layout_of(content, separator, place)
    text = csv_text.parse_csv(content, layout, place)
    check_size(text.num_rows, text.num_columns, place, reading.most_megabytes)
    small = frozenset(name.lower() for name in as_words)
    table = csv_text.converted(text, layout.separator, small, place)
    return table.to_pandas(ignore_metadata=True)


def _content(path: Path, reading: TableReading) -> bytes:
    """Return the content of a CSV file, unpacked no further than it may be large."""
    most = int(reading.most_megabytes * 1e6)
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    parts = io.BytesIO()
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            while part := file.read(2**20):
                parts.write(part)
                if parts.tell() > most:
                    raise UserError(
                        f"table {path}: it is larger than the {reading.most_megabytes:g} MB of "
                        "ingest.limits.table_mb"
                    )
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"table {path}: it is no complete gzip file ({error})") from error
    return parts.getvalue()

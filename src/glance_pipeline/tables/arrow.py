"""From arrow's columns to a frame, without its metadata: what a file holds is what is read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glance_pipeline.support.errors import UserError

EXACT = 2**53
"""Above, a number loses its last digits where another of its column is missing."""


_ROW, _VALUE = 100, 8
"""Bytes that a row and a value of it take at least while a table is joined."""


def check_size(rows: int, columns: int, place: str, most_megabytes: float) -> None:
    """Refuse a table of more rows than find room, however small its file.

    Raises:
        UserError: if they do not.
    """
    if rows * (_ROW + _VALUE * columns) > most_megabytes * 1e6:
        raise UserError(
            f"{place}: it has {rows:,} rows of {columns} columns, which do not find room in the "
            f"{most_megabytes:g} MB of ingest.limits.table_mb"
        )


_MOST_AT_A_TIME = 5 * 10**8
"""Bytes that rows that are read together may take, if each holds the longest value there can be."""


def batches_of(
    path: Path, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield some rows of a parquet file after the others.

    A file keeps a value that many rows have but once, and each of them takes it whole on reading:
    a few kilobytes would fill any memory. So the rows that are read together are so few that they
    find room even if each holds the largest part of the file.

    Args:
        path: path of the file.
        rows: that are read together at most.
        columns: that are read, or the parts of them; None takes all.
    """
    with pq.ParquetFile(path) as file:
        longest = _longest_of(file.metadata, columns)
        rows = min(rows, max(1, _MOST_AT_A_TIME // max(longest, 1)))
        yield from file.iter_batches(rows, columns=None if columns is None else list(columns))


def _longest_of(metadata: pq.FileMetaData, columns: Sequence[str] | None) -> int:
    """Return the most bytes that the words and images of one row may have, as the file says."""
    longest = 0
    for group in range(metadata.num_row_groups):
        parts = (metadata.row_group(group).column(n) for n in range(metadata.num_columns))
        longest = max(
            longest,
            sum(
                part.total_uncompressed_size
                for part in parts
                if part.physical_type == "BYTE_ARRAY"
                and (columns is None or _is_of(part.path_in_schema, columns))
            ),
        )
    return longest


def _is_of(part: str, columns: Sequence[str]) -> bool:
    return any(part == column or part.startswith(f"{column}.") for column in columns)


def bounded(
    batches: Iterator[pa.RecordBatch], place: str, most_megabytes: float
) -> Iterator[pa.RecordBatch]:
    """Yield batches as long as all of them together find room.

    Raises:
        UserError: if they do not.
    """
    held = 0
    for batch in batches:
        held += batch.nbytes
        if held > most_megabytes * 1e6:
            raise UserError(
                f"{place}: it is larger than the {most_megabytes:g} MB of ingest.limits.table_mb"
            )
        yield batch


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table's columns; whole numbers that a float cannot hold become words.

    What pandas wrote beside the columns is left aside: an index is a column as any other.
    """
    columns = [_plain(table.column(name)) for name in range(table.num_columns)]
    plain = pa.Table.from_arrays(columns, names=table.column_names)
    return plain.replace_schema_metadata(None).to_pandas(ignore_metadata=True)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_integer(kind) and kind.bit_width == 64:
        ends = pc.min_max(column)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        if low is not None and (low < -EXACT or high > EXACT):
            return column.cast(pa.string())
    return column

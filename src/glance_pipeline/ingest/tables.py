"""Tables of what is known of images: CSV and parquet files."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from glance_pipeline.errors import UserError


def read_columns(path: Path) -> list[str]:
    """Return the names of a table's columns without reading its rows.

    Raises:
        FileNotFoundError: where there is no such file.
        UserError: where it is no table, or a name comes twice.
    """
    if not path.is_file():
        raise FileNotFoundError(f"ingest.context.tables: there is no file {path.absolute()}")
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            names = list(pq.read_schema(path).names)
        else:
            row = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
            names = row.iloc[0].tolist()
    except (ValueError, OSError, pa.ArrowInvalid) as error:
        raise UserError(f"table {path}: it cannot be read ({error})") from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"table {path}: found more than one column named {twice}")
    return names


def read_table(path: Path, as_text: list[str]) -> pd.DataFrame:
    """Read a table.

    Args:
        path: a parquet file, or a CSV file, zipped or not.
        as_text: columns whose values stay as they are written: 00012 does not become 12.

    Raises:
        UserError: where it cannot be read, or has no row.
    """
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path).reset_index(drop=True)
        else:
            frame = pd.read_csv(path, dtype=dict.fromkeys(as_text, str), low_memory=False)
    except (ValueError, OSError) as error:
        raise UserError(f"table {path}: it cannot be read ({error})") from error
    if frame.empty:
        raise UserError(f"table {path}: found no row, wanted one for each image")
    return frame

"""A folder with a Hugging Face data set: parquet files, or what ``save_to_disk`` writes.

Both are read with pyarrow alone. Of a column's type the file's schema tells what the library
``datasets`` wrote into it: which column is the image, and the names of a label's classes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glance_pipeline.errors import UserError
from glance_pipeline.ingest.source import ImageSource, Reader

_ROWS = 64  # of a parquet file that are in memory at a time
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation",
           "dev": "validation", "test": "test"}  # fmt: skip


def is_data_set(folder: Path) -> bool:
    """Say whether a folder holds parquet files, or arrow files beside a ``state.json``."""
    return bool(_files(folder))


def open_data_set(folder: Path) -> ImageSource:
    """Find the images of a data set; its other columns become the source's.

    Where file or folder names say the split, as ``train-00000-of-00002.parquet`` does, there is a
    column ``split`` too. Rows are read in their order.

    Raises:
        UserError: where there is no such file, or no column of images in one.
    """
    files = _files(folder)
    if not files:
        raise UserError(
            f"ingest.source: folder {folder} holds no image: found no file .parquet or .arrow"
        )
    tables = [_Table(path, folder) for path in files]
    columns = pd.concat([table.others() for table in tables], ignore_index=True)
    names = [name for table in tables for name in table.names()]
    if len(set(names)) < len(names):
        names = [str(row) for row in range(len(names))]

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        start = 0
        for table in tables:
            inside = [row - start for row in rows if start <= row < start + table.length]
            start += table.length
            yield from table.readers(inside)

    place = f"data set {folder}"
    return ImageSource(place, tuple(names), read, columns, in_any_order=False)


def _files(folder: Path) -> list[Path]:
    parquet = sorted(folder.rglob("*.parquet"))
    if parquet:
        return parquet
    return [
        path for path in sorted(folder.rglob("*.arrow")) if (path.parent / "state.json").exists()
    ]


class _Table:
    """One file of a data set."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        try:
            schema = pq.read_schema(path) if path.suffix == ".parquet" else _arrow(path).schema
        except pa.ArrowInvalid as error:
            raise UserError(f"data set {path}: it is no {path.suffix} file ({error})") from error
        self._features = _features(schema)
        self._image = self._image_column(schema)
        self._scalars = [
            field.name
            for field in schema
            if field.name != self._image and not pa.types.is_nested(field.type)
            and not pa.types.is_binary(field.type)
        ]  # fmt: skip
        self._split = _split_of(path, folder)
        self.length = sum(len(batch) for batch in self._batches(self._scalars[:1] or [self._image]))

    def names(self) -> list[str]:
        """Return the path inside each image, or its number in the file."""
        if not pa.types.is_struct(self._type) or self._type.get_field_index("path") < 0:
            return [str(row) for row in range(self.length)]
        found = [
            path
            for batch in self._batches([f"{self._image}.path"])
            for path in batch.column(0).field("path").to_pylist()
        ]
        return [path or str(row) for row, path in enumerate(found)]

    def others(self) -> pd.DataFrame:
        """Return the columns of single values, classes by their names, and the split."""
        if self._scalars:
            batches = list(self._batches(self._scalars))
            frame = pa.Table.from_batches(batches).to_pandas()
        else:
            frame = pd.DataFrame(index=range(self.length))
        for name in frame:
            classes = self._features.get(name, {}).get("names")
            if classes:
                named = dict(enumerate(classes))
                frame[name] = frame[name].map(named)
        if self._split and "split" not in frame:
            frame["split"] = self._split
        return frame

    def readers(self, rows: Sequence[int]) -> Iterator[Reader]:
        """Yield a reader for each of some rising rows."""
        if not rows:
            return
        wanted, start = set(rows), 0
        for batch in self._batches([self._image]):
            inside = [row for row in range(start, start + len(batch)) if row in wanted]
            for row in inside:
                yield partial(_content, batch.column(0)[row - start].as_py(), self.path.parent)
            start += len(batch)
            if start > rows[-1]:
                return  # the rest of the file is not decompressed for nothing

    def _image_column(self, schema: pa.Schema) -> str:
        declared = [n for n, kind in self._features.items() if kind.get("_type") == "Image"]
        looks = [
            field.name
            for field in schema
            if pa.types.is_binary(field.type)
            or (pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
        ]
        found = declared or looks
        if not found:
            raise UserError(
                f"data set {self.path}: found the columns {schema.names}, wanted one of images: "
                "a struct with `bytes`, or bytes"
            )
        self._type = schema.field(found[0]).type
        return str(found[0])

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        if self.path.suffix == ".parquet":
            with pq.ParquetFile(self.path) as file:
                yield from file.iter_batches(_ROWS, columns=columns)
            return
        kept = [name.partition(".")[0] for name in columns]
        for batch in _arrow(self.path):
            yield batch.select(kept)


def _arrow(path: Path) -> Any:
    return pa.ipc.open_stream(pa.memory_map(str(path)))


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Return what ``datasets`` wrote of the columns, empty where it did not."""
    written = (schema.metadata or {}).get(b"huggingface")
    return json.loads(written).get("info", {}).get("features") or {} if written else {}


def _split_of(path: Path, folder: Path) -> str:
    """Return the split that the names of a file and its folders say, innermost first."""
    for part in reversed(path.relative_to(folder).parts):
        split = _SPLITS.get(re.split(r"[-.]", part)[0])
        if split:
            return split
    return ""


def _content(value: Any, folder: Path) -> bytes:
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None and isinstance(value, dict) and value.get("path"):
        return (folder / value["path"]).read_bytes()
    if content is None:
        raise UserError("the row holds no image")
    return content

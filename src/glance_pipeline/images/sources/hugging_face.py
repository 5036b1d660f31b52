"""A folder with a Hugging Face data set: parquet files, or what ``save_to_disk`` writes.

Both are read with pyarrow alone. Of a column's type the file's schema tells what the library
``datasets`` wrote into it: which column is the image, and the names of a label's classes.
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glance_pipeline.images import UnreadableImageError, read_content
from glance_pipeline.images.decoding import too_large
from glance_pipeline.images.sources.data_set_files import find_data_files, split_named_by
from glance_pipeline.images.sources.image_source import ImageSource, Reader, Rules
from glance_pipeline.support.errors import UserError
from glance_pipeline.tables.arrow import as_frame, batches_of, bounded, check_size

logger = logging.getLogger(__name__)

_ROWS = 64  # of a parquet file that are in memory at a time
_MEGA = 1_000_000
_USUAL = ("image", "img")  # names of the column that is meant where there are several


def is_data_set(folder: Path) -> bool:
    """Say whether a folder holds parquet files, or arrow files beside a ``state.json``."""
    return bool(find_data_files(folder, follow=True))


def open_data_set(folder: Path, rules: Rules) -> ImageSource:
    """Find the images of a data set; its other columns become the source's.

    Where file or folder names say the split, as ``train-00000-of-00002.parquet`` does, there is a
    column ``split`` too. Rows are read in their order.

    Raises:
        UserError: if there is no such file, or no column of images in one.
    """
    files = find_data_files(folder, rules.follow_links)
    if not files:
        raise UserError(
            f"ingest.source: folder {folder} holds no image: found no file .parquet or .arrow"
        )
    try:
        tables = [_Table(path, folder, rules) for path in files]
        frames = [table.others() for table in tables]
        names = [name for table in tables for name in table.names()]
    except UserError:
        raise
    except Exception as error:  # a broken file raises anything in pyarrow
        raise UserError(f"data set {folder}: it cannot be read ({error})") from error
    columns = pd.concat(frames, ignore_index=True)
    if len(set(names)) < len(names):
        names = [str(row) for row in range(len(names))]
    _say(folder, tables, frames)

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        start = 0
        for table in tables:
            inside = [row - start for row in rows if start <= row < start + table.length]
            start += table.length
            yield from table.readers(inside)

    return ImageSource(f"data set {folder}", tuple(names), read, columns, in_any_order=False)


def _say(folder: Path, tables: Sequence["_Table"], frames: Sequence[pd.DataFrame]) -> None:
    """Name the files that are read, the column of images, and columns that some files lack."""
    some = ", ".join(f"{t.path.relative_to(folder)} ({t.length})" for t in tables[:4])
    more = f" and {len(tables) - 4} more" if len(tables) > 4 else ""
    column = " or ".join(repr(name) for name in sorted({table.image for table in tables}))
    logger.info("data set %s: images of the column %s of %s%s", folder, column, some, more)
    beside = {path for table in tables for path in table.path.parent.glob("*.arrow")}
    unlisted = sorted(path.name for path in beside - {table.path for table in tables})
    if unlisted:
        logger.info(
            "data set %s: arrow files that are not of it, as caches, and not read: %d, the first "
            "%s", folder, len(unlisted), unlisted[0],
        )  # fmt: skip
    unread = sorted({name for table in tables for name in table.unread})
    if unread:
        logger.info("data set %s: columns that are not read: %s", folder, ", ".join(unread))
    there: list[set[str]] = [set(map(str, frame)) for frame in frames]
    lacking = sorted(name for name in set().union(*there) if not all(name in t for t in there))
    if lacking:
        logger.warning("data set %s: not all files have the columns %s", folder, lacking)


class _Table:
    """One file of a data set.

    Attributes:
        path: path of it.
        image: name of its column of images.
        unread: names of columns that hold neither images nor single values.
        length: number of rows.
    """

    def __init__(self, path: Path, folder: Path, rules: Rules) -> None:
        self.path = path
        self._folder = folder
        self._limits = rules.limits
        try:
            schema = pq.read_schema(path) if path.suffix == ".parquet" else _arrow(path).schema
        except (pa.ArrowInvalid, OSError) as error:
            raise UserError(f"data set {path}: it is no {path.suffix} file ({error})") from error
        self._features = _features(schema)
        self.image = self._image_column(schema, rules.image_column)
        self._type = schema.field(self.image).type
        others = [field for field in schema if field.name != self.image]
        self._scalars = [field.name for field in others if _is_scalar(field.type)]
        self.unread = [field.name for field in others if not _is_scalar(field.type)]
        self._split = split_named_by(path, folder)
        self._check_rows()
        self._values = self._read_scalars()
        self.length = (
            sum(len(batch) for batch in self._batches([self.image]))
            if self._values is None
            else len(self._values)
        )
        if not self.length:
            raise UserError(f"ingest.source: data set {path} holds no image: found no row")

    def _read_scalars(self) -> pd.DataFrame | None:
        batches = list(self._bounded(self._batches(self._scalars))) if self._scalars else []
        return as_frame(pa.Table.from_batches(batches)) if batches else None

    def _bounded(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return bounded(batches, f"data set {self.path}", self._limits.table_mb)

    def names(self) -> list[str]:
        """Return the path inside each image, or its number in the file."""
        if not pa.types.is_struct(self._type) or self._type.get_field_index("path") < 0:
            return [str(row) for row in range(self.length)]
        parts = (
            pa.record_batch([batch.column(0).field("path")], ["path"])
            for batch in self._batches([f"{self.image}.path"])
        )
        found = [path for part in self._bounded(parts) for path in part.column(0).to_pylist()]
        return [
            path if isinstance(path, str) and path else str(row) for row, path in enumerate(found)
        ]

    def others(self) -> pd.DataFrame:
        """Return the columns of single values, classes by their names, and the split."""
        frame = pd.DataFrame(index=range(self.length)) if self._values is None else self._values
        for name in frame:
            classes = self._features.get(str(name), {}).get("names")
            if isinstance(classes, list) and classes:
                named = frame[name].map(dict(enumerate(classes)))
                unknown = frame[name][named.isna() & frame[name].notna() & (frame[name] != -1)]
                if len(unknown):
                    raise UserError(
                        f"data set {self.path}: column {name!r}: found {unknown.iloc[0]} in "
                        f"{len(unknown)} rows, wanted a number of its {len(classes)} classes, or −1"
                    )
                frame[name] = named
        if self._split and "split" not in frame:
            frame["split"] = self._split
        return frame

    def readers(self, rows: Sequence[int]) -> Iterator[Reader]:
        """Yield a reader for each of some rising rows."""
        if not rows:
            return
        wanted, start = set(rows), 0
        for batch in self._whole_batches():
            inside = [row for row in range(start, start + len(batch)) if row in wanted]
            for row in inside:
                yield partial(self._content, batch.column(0)[row - start])
            start += len(batch)
            if start > rows[-1]:
                return  # the rest of the file is not decompressed for nothing

    def _whole_batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._batches([self.image])
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"data set {self.path}: it is damaged ({error}); fetch it again") from (
                error
            )

    def _content(self, cell: Any) -> bytes:
        """Return the content of an image file that a row holds or names.

        Raises:
            UnreadableImageError: if it does neither, or names a file outside the data set.
        """
        most = self._limits.image_mb
        named = pa.types.is_struct(cell.type)
        if cell.is_valid and named:
            path = cell["path"].as_py() if cell.type.get_field_index("path") >= 0 else None
            cell = cell["bytes"]
            if not cell.is_valid and path:
                return read_content(self._inside(str(path)), most)
        if not cell.is_valid:
            raise UnreadableImageError("the row holds no image")
        content = cell.as_buffer()
        if content.size > most * _MEGA:
            raise too_large(content.size, most)
        return content.to_pybytes()

    def _inside(self, path: str) -> Path:
        """Return the file that a row names, which lies in the data set's folder."""
        root = self._folder.resolve()
        plain = path and "\0" not in path and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[\\/~]", path)
        real = (self.path.parent / path).resolve() if plain else None
        if real is None or not real.is_relative_to(root):
            raise UnreadableImageError(
                f"the row names {path!r}, which is not within the data set's folder; it is not read"
            )
        return real

    def _check_rows(self) -> None:
        """Refuse a file that says it has more rows than find room."""
        if self.path.suffix != ".parquet":
            return
        rows, place = pq.read_metadata(self.path).num_rows, f"data set {self.path}"
        check_size(rows, len(self._scalars), place, self._limits.table_mb)

    def _image_column(self, schema: pa.Schema, wanted: str | None) -> str:
        """Return the column of images: the one that is wanted, the only one, or the usual one."""
        declared = [
            name
            for name, kind in self._features.items()
            if kind.get("_type") == "Image" and name in schema.names
        ]
        looks = [field.name for field in schema if _is_content(field.type)]
        found = [name for name in declared or looks if _is_content(schema.field(name).type)]
        place = f"data set {self.path}"
        if wanted is not None:
            if wanted not in looks:
                raise UserError(f"ingest.image_column: found {wanted!r}, {place} has {looks}")
            return wanted
        usual = [name for name in _USUAL if name in found]
        if len(found) > 1 and len(usual) != 1:
            raise UserError(
                f"{place}: found {len(found)} columns of images, {found}; name one in "
                "ingest.image_column"
            )
        if not found:
            raise UserError(
                f"{place}: found the columns {schema.names}, wanted one of images: "
                "a struct with `bytes`, or bytes"
            )
        return (usual or found)[0]

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        if self.path.suffix == ".parquet":
            yield from batches_of(self.path, _ROWS, columns)
            return
        kept = [name.partition(".")[0] for name in columns]
        for batch in _arrow(self.path):
            selected = batch.select(kept)
            selected.validate(full=True)  # offsets that a file states are not checked on reading
            yield selected


def _is_scalar(kind: pa.DataType) -> bool:
    nested = pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType)
    return not nested and not _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    ) and not types.is_decimal(kind)


def _is_content(kind: pa.DataType) -> bool:
    """Say whether a column of this type may hold image files."""
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        if place < 0:
            return False
        inner = kind.field(place).type
        return _is_bytes(inner) or pa.types.is_null(inner)  # where all images are named by path
    return _is_bytes(kind)


def _arrow(path: Path) -> Any:
    return pa.ipc.open_stream(pa.memory_map(str(path)))


def _features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """Return what ``datasets`` wrote of the columns, empty if it did not."""
    written = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(written)["info"]["features"] if written else {}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    pairs = features.items() if isinstance(features, dict) else ()
    return {name: kind for name, kind in pairs if isinstance(kind, dict)}

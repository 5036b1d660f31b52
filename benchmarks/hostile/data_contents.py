"""What hostile images and tables hold, and what writes them where they lie."""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.hostile.kinds import Canaries


def png(width: int = 8, height: int = 8, colour: int = 0) -> bytes:
    """Return a small grey PNG of one level."""
    file = io.BytesIO()
    Image.new("L", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_chunks(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG that declares a size, of these chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def in_folder(name: str, content: Callable[[Canaries], bytes]) -> Callable[[Canaries], Path]:
    """Return what writes a file of that content into a folder of images."""

    def make(canaries: Canaries) -> Path:
        folder = canaries.folder / "images"
        folder.mkdir()
        (folder / "0.png").write_bytes(png())
        (folder / name).write_bytes(content(canaries))
        return folder

    return make


def as_file(name: str, content: Callable[[Canaries], bytes]) -> Callable[[Canaries], Path]:
    """Return what writes a file of that content."""

    def make(canaries: Canaries) -> Path:
        path = canaries.folder / name
        path.write_bytes(content(canaries))
        return path

    return make


def data_set(path_of: Callable[[Canaries], str]) -> Callable[[Canaries], Path]:
    """Return what writes a data set whose second row names a path."""

    def make(canaries: Canaries) -> Path:
        folder = canaries.folder / "set"
        folder.mkdir()
        rows = [{"bytes": png(), "path": "0.png"}, {"bytes": None, "path": path_of(canaries)}]
        pq.write_table(pa.table({"image": rows}), folder / "train.parquet")
        return folder

    return make


def data_set_with_link(canaries: Canaries) -> Path:
    """Write a data set whose second row names a link that leads outside."""
    folder = data_set(lambda _: "inner.png")(canaries)
    (folder / "inner.png").symlink_to(canaries.secret)
    return folder


def state_that_names_others(canaries: Canaries) -> Path:
    """Write a state.json that lists a file outside the data set."""
    folder = canaries.folder / "set"
    folder.mkdir()
    (folder / "data.arrow").write_bytes(b"")
    listed = [{"filename": f"../../{canaries.secret.name}"}]
    (folder / "state.json").write_text(json.dumps({"_data_files": listed}))
    return folder


class _Runs:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self._path, "w")


def pickled(canaries: Canaries) -> bytes:
    """Return a pickled program that writes a file."""
    return pickle.dumps(_Runs(str(canaries.ran)))


def npy(canaries: Canaries) -> bytes:
    """Return an array of Python objects that write a file when they are unpickled."""
    file = io.BytesIO()
    np.save(file, np.array([_Runs(str(canaries.ran))] * 3, dtype=object), allow_pickle=True)
    return file.getvalue()


def npy_header(text: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return an .npy file of a header as it is written."""
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text.encode("latin-1") + data


def shape_beyond(_: Canaries) -> bytes:
    """Return an .npy file that declares 3 TB."""
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (100000, 100000, 300)}\n"
    return npy_header(header, bytes(64))


def holes(canaries: Canaries) -> Path:
    """Write an .npy file of 100 million images that takes no room on disk."""
    path = canaries.folder / "holes.npy"
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (100000000, 2, 2)}\n"
    path.write_bytes(npy_header(header))
    os.truncate(path, 400_000_000 + 200)
    return path


def zip_of(*members: tuple[str, bytes], **options: Any) -> Callable[[Canaries], bytes]:
    """Return what makes a zip of these members."""

    def content(_: Canaries) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in members:
                archive.writestr(name, data)
        return file.getvalue()

    return content


def zip_bomb(_: Canaries) -> bytes:
    """Return a zip whose image unpacks to 200 MB."""
    return zip_of(("0.png", bytes(200_000_000)))(_)


def zip_that_lies(_: Canaries) -> bytes:
    """Say of 100 MB in a member that they are 10 bytes."""
    content = bytearray(zip_of(("0.png", bytes(100_000_000)))(_))
    size = struct.pack("<I", 100_000_000)
    return bytes(content.replace(size, struct.pack("<I", 10)))


def zip_with_link(canaries: Canaries) -> bytes:
    """Return a zip that holds a link to the secret."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("0.png", png())
        member = zipfile.ZipInfo("link.png")
        member.create_system, member.external_attr = 3, 0o120777 << 16
        archive.writestr(member, str(canaries.secret))
    return file.getvalue()


def link(name: str, target: Callable[[Canaries], Path]) -> Callable[[Canaries], Path]:
    """Return what writes a folder of images with a link."""

    def make(canaries: Canaries) -> Path:
        folder = canaries.folder / "images"
        folder.mkdir()
        (folder / "0.png").write_bytes(png())
        (folder / name).symlink_to(target(canaries))
        return folder

    return make


def pipe(canaries: Canaries) -> Path:
    """Write a folder of images with pipes in it."""
    folder = in_folder("1.png", lambda _: png())(canaries)
    os.mkfifo(folder / "2.png")
    os.mkfifo(folder / "3")
    return folder


def eps(canaries: Canaries) -> bytes:
    """Return a PostScript program that writes a file in two ways."""
    program = f"({canaries.ran}) (w) file closefile (%pipe%touch {canaries.ran}) (r) file\n"
    return (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
        + program.encode()
        + b"showpage\n%%EOF\n"
    )


def svg(canaries: Canaries) -> bytes:
    """Return an SVG that takes in the secret."""
    return (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{canaries.secret}">]>'
        f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{canaries.secret}"/>&x;</svg>'
    ).encode()


def scans(_: Canaries) -> bytes:
    """Repeat the last scan of a progressive JPEG of 25 megapixels ten thousand times."""
    file = io.BytesIO()
    Image.new("L", (5000, 5000)).save(file, "JPEG", progressive=True, quality=50)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + 10_000 * content[last:-2] + content[-2:]


def tiles(_: Canaries) -> bytes:
    """Say of a TIFF that each of thirty thousand strips is the same few bytes."""
    count = 30_000
    strips = struct.pack(f"<{count}I", *[8] * count)
    entries = [
        (256, 4, 1, 1), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, count, 16 + 9 * 12 + 6), (277, 3, 1, 1), (278, 4, 1, 1),
        (279, 4, count, 16 + 9 * 12 + 6 + len(strips)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    lengths = struct.pack(f"<{count}I", *[1] * count)
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + directory + strips + lengths


def pickled_metadata(canaries: Canaries) -> Path:
    """Write a parquet table whose metadata hold a pickle where pandas and arrow keep types."""
    path = canaries.folder / "t.parquet"
    program = pickled(canaries)
    field = pa.field("age", pa.int64()).with_metadata(
        {
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": program,
        }
    )
    schema = pa.schema([pa.field("file", pa.string()), field], metadata={b"pandas": program})
    pq.write_table(pa.table([["0.png", "1.png"], [1, 2]], schema=schema), path)
    return path


def rows_without_end(canaries: Canaries) -> Path:
    """Write a parquet table of 30 million equal rows, which takes a few hundred bytes."""
    path = canaries.folder / "t.parquet"
    values = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10_000_000, np.int8)), ["x" * 1000])
    table = pa.table({"file": values})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(3):
            writer.write_table(table)
    return path


def gz(data: bytes, times: int) -> bytes:
    """Return some bytes so many times, zipped."""
    file = io.BytesIO()
    with gzip.open(file, "wb", compresslevel=1) as zipped:
        for _ in range(times):
            zipped.write(data)
    return file.getvalue()


def idx_bomb(_: Canaries) -> bytes:
    """Declare 2 images of 8 px and let 200 MB follow."""
    head = struct.pack(">IIII", 0x803, 2, 8, 8)
    return gz(head + bytes(1_000_000), 200)


def idx_that_boasts(_: Canaries) -> bytes:
    """Return an idx file that declares eight billion images."""
    return gzip.compress(struct.pack(">IIII", 0x803, 2**31, 60_000, 60_000) + bytes(100))


def text_bomb(_: Canaries) -> bytes:
    """Return a PNG whose comments unpack to 2 GB."""
    packed = zlib.compress(bytes(100_000_000), 1)
    text = (b"zTXt", b"Comment\0\0" + packed)
    return png_of_chunks(8, 8, *[text] * 20, (b"IDAT", zlib.compress(bytes(72))))


def huge_png(_: Canaries) -> bytes:
    """Return a PNG that declares 3,600 megapixels."""
    return png_of_chunks(60_000, 60_000, (b"IDAT", zlib.compress(bytes(1_000_000))))


def large_png(_: Canaries) -> bytes:
    """Declare 144 megapixels, below the number at which Pillow refuses an image."""
    return png_of_chunks(12_000, 12_000, (b"IDAT", zlib.compress(bytes(1_000_000))))


def huge_gif(_: Canaries) -> bytes:
    """Return a GIF that declares 65,535 px squared."""
    return b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6) + b";"


def huge_webp(_: Canaries) -> bytes:
    """Return an animated WebP that declares 16,383 px squared."""
    canvas = struct.pack("<I", 2) + (16_382).to_bytes(3, "little") * 2
    frame = bytes(16) + b"VP8 " + struct.pack("<I", 0)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def of_text(content: bytes) -> Callable[[Canaries], bytes]:
    """Return what makes this content."""
    return lambda _: content

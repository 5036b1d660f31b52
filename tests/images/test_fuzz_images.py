"""Any bytes as an image, an archive, an array or a data set: read, or refused by a named error."""

import gzip
import io
import json
import resource
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from glance_pipeline.config.ingest import ReadingLimits
from glance_pipeline.images import Form, UnreadableImageError, format_of, read_picture
from glance_pipeline.images.formats import READ
from glance_pipeline.images.sources.image_source import Rules
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.support.errors import UserError
from helpers.fuzzing import settings_for
from helpers.spoilt import only, spoilt

FORM = Form(channels=3, size=8, most_megabytes=1, most_megapixels=1)
RULES = Rules(limits=ReadingLimits(image_mb=1, megapixels=1, array_mb=1, table_mb=4))
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 10, 4), dtype=np.uint8)


@pytest.fixture(scope="module", autouse=True)
def memory_stays_bounded():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 1_000_000_000


def image_files() -> list[bytes]:
    """Return a small image in each format, and in forms that few use."""
    rgb, grey = Image.fromarray(PIXELS[..., :3]), Image.fromarray(PIXELS[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    ways = [
        (rgb, "PNG", {}),
        (Image.fromarray(PIXELS), "PNG", {}),
        (rgb.quantize(8), "PNG", {}),
        (rgb, "JPEG", {"exif": exif}),
        (grey, "JPEG", {"progressive": True}),
        (rgb.convert("CMYK"), "JPEG", {}),
        (rgb, "BMP", {}),
        (rgb, "GIF", {"save_all": True, "append_images": [grey.convert("RGB")]}),
        (rgb, "TIFF", {"compression": "tiff_lzw"}),
        (grey, "TIFF", {}),
        (rgb, "WEBP", {"lossless": True}),
        (rgb, "AVIF", {}),
        (grey, "PPM", {}),
    ]
    contents = []
    for picture, kind, options in ways:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        contents.append(file.getvalue())
    return contents


FILES = image_files()


@pytest.mark.filterwarnings("ignore")  # Pillow's, of broken metadata
@settings_for(400)
@given(content=spoilt(FILES) | st.binary(max_size=200))
def test_any_bytes_are_an_image_or_are_refused(content):
    with only(UnreadableImageError):
        array, _ = read_picture(content, FORM)
        assert array.shape == (3, 8, 8)


def test_every_format_that_is_read_is_told_by_its_first_bytes():
    assert {format_of(content) for content in FILES} == set(READ)


def zip_files() -> list[bytes]:
    contents = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("a/1.png", FILES[0])
            archive.writestr("b\\2.jpg", FILES[3])
            archive.writestr("c/é", FILES[6])
            archive.writestr("notes.txt", "no image")
        contents.append(file.getvalue())
    return contents


def read_all(path: Path) -> None:
    source = open_source(str(path), rules=RULES)
    for reader in source.read(list(range(len(source)))):
        with only(UnreadableImageError, UserError, OSError):
            read_picture(reader(), FORM)


@settings_for(120)
@given(content=spoilt(zip_files()))
def test_any_bytes_are_a_zip_or_are_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "a.zip"
    path.write_bytes(content)
    with only(UserError):
        read_all(path)


def array_files() -> list[bytes]:
    contents = []
    for array in (
        PIXELS[None, ..., 0],
        PIXELS[None, ..., :3] / 255,
        np.asfortranarray(PIXELS[None, ..., :3]),
        (PIXELS[None, ..., 0] / 255).astype(">f4"),
        np.array([{}, []], dtype=object),
        np.zeros((2, 9, 9), [("a", "u1"), ("b", "f4")]),
    ):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        contents.append(file.getvalue())
    return contents


@settings_for(150)
@given(content=spoilt(array_files()))
def test_any_bytes_are_an_array_or_are_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "a.npy"
    path.write_bytes(content)
    with only(UserError):
        read_all(path)


IDX = struct.pack(">IIII", 0x803, 2, 5, 6) + bytes(60)


@settings_for(150)
@given(content=spoilt([IDX, gzip.compress(IDX), gzip.compress(IDX + bytes(3_000_000))]))
def test_any_bytes_are_an_idx_file_or_are_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with only(UserError):
        read_all(path)


def data_set() -> pa.Table:
    rows = [{"bytes": FILES[0], "path": "a.png"}, {"bytes": None, "path": "../../secret"}]
    kinds = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    written = json.dumps({"info": {"features": kinds}})
    table = pa.table({"image": rows, "label": [0, 1], "age": [1.5, None], "word": ["x", "y"]})
    return table.replace_schema_metadata({"huggingface": written})


def parquet_files() -> list[bytes]:
    contents = []
    for options in ({"compression": "none"}, {"compression": "zstd"}, {"use_dictionary": False}):
        file = io.BytesIO()
        pq.write_table(data_set(), file, **options)
        contents.append(file.getvalue())
    return contents


@settings_for(120)
@given(content=spoilt(parquet_files()))
def test_any_bytes_are_a_data_set_or_are_refused(content, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "parquet"
    folder.mkdir(exist_ok=True)
    (folder / "train.parquet").write_bytes(content)
    with only(UserError):
        read_all(folder)


def arrow_file() -> bytes:
    sink = io.BytesIO()
    table = data_set()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


STATE = json.dumps({"_data_files": [{"filename": "data.arrow"}], "_split": "train"}).encode()


@settings_for(120)
@given(content=spoilt([arrow_file()]), state=spoilt([STATE]) | st.just(STATE))
def test_any_bytes_are_what_save_to_disk_wrote_or_are_refused(content, state, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "arrow"
    folder.mkdir(exist_ok=True)
    (folder / "data.arrow").write_bytes(content)
    (folder / "state.json").write_bytes(state)
    with only(UserError):
        read_all(folder)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
)


@settings_for(60)
@given(names=st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_every_member_of_a_zip_is_read_under_its_name_or_the_zip_is_refused(
    names, tmp_path_factory
):
    path = tmp_path_factory.getbasetemp() / "names.zip"
    written = {f"{name}.png": f"content of {name}".encode() for name in names}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in written.items():
            archive.writestr(name, content)
    with only(UserError):
        source = open_source(str(path))
        for name, reader in zip(source.names, source.read(range(len(source))), strict=True):
            ends = [content for given, content in written.items() if _same(given, name)]
            assert reader() in ends
        hidden = [name for name in written if _same(name, "") or "/." in f"/{_plain(name)}"]
        assert len(source) >= len(written) - len(hidden)


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _same(written: str, read: str) -> bool:
    parts = [part for part in _plain(written).split("/") if part not in ("", ".", "..")]
    return "/".join(parts).endswith(read)


@settings_for(60)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(5, 8), st.integers(5, 8)),
    colours=st.sampled_from((None, 1, 3)),
    first=st.booleans(),
    kind=st.sampled_from(("u1", "f4", ">f8", "f2")),
    order=st.sampled_from("CF"),
)
def test_an_array_is_read_as_it_was_written(shape, colours, first, kind, order, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "written.npy"
    full = shape if colours is None else (*shape, colours)
    pixels = np.random.default_rng(0).integers(0, 256, full, dtype=np.uint8)
    array = pixels if kind == "u1" else (pixels / 255).astype(kind)
    if first and colours is not None:
        array = array.transpose(0, 3, 1, 2)
    np.save(path, np.asarray(array, order=order))
    found = [np.squeeze(reader()) for reader in open_source(str(path)).read(range(len(pixels)))]
    assert np.array_equal(
        np.stack(found), np.squeeze(pixels.reshape(full)).reshape(len(found), *found[0].shape)
    )

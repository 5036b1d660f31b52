"""Folders, zips, arrays, idx files and Hugging Face data sets, each made here."""

import gzip
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from glance_pipeline.images import decode
from glance_pipeline.images.sources import hugging_face
from glance_pipeline.images.sources.arrays import read_labels
from glance_pipeline.images.sources.image_source import ImageSource
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.support.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 5), dtype=np.uint8)


def write_png(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def pictures(source: ImageSource, rows: list[int]) -> np.ndarray:
    return np.stack([np.asarray(decode(reader())[0]) for reader in source.read(rows)])


def write_idx(path: Path, array: np.ndarray) -> Path:
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    names = ["b/été 2.png", "a/x/1.PNG", "a/2.png"]
    for name, image in zip(names, IMAGES, strict=False):
        write_png(tmp_path / name, image)
    (tmp_path / "notes.txt").write_text("no image")
    write_png(tmp_path / ".hidden" / "3.png", IMAGES[0])
    source = open_source(str(tmp_path))
    assert source.names == ("a/2.png", "a/x/1.PNG", "b/été 2.png")
    assert np.array_equal(pictures(source, [2, 0]), IMAGES[[0, 2]])


def test_a_zip_is_read_as_a_folder_is(tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, image in (("in/2.png", IMAGES[2]), ("in/1.png", IMAGES[1])):
            archive.write(write_png(tmp_path / "loose.png", image), name)
        archive.writestr("__MACOSX/in/._1.png", b"junk")
    source = open_source(str(path))
    assert source.names == ("in/1.png", "in/2.png")
    assert np.array_equal(pictures(source, [0, 1]), IMAGES[[1, 2]])


def test_a_broken_zip_is_named(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match=r"faces\.zip: 16 bytes were found which are no complete"):
        open_source(str(tmp_path / "faces.zip"))


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_an_idx_pair(tmp_path, name):
    path = write_idx(tmp_path / name, IMAGES)
    write_idx(tmp_path / name.replace("images-idx3", "labels-idx1"), np.arange(7))
    source = open_source(str(path))
    assert source.names == tuple("0123456")
    assert np.array_equal(pictures(source, [3, 0]), IMAGES[[3, 0]])
    assert read_labels(path, None).tolist() == list(range(7))


@pytest.mark.parametrize(
    "array",
    [
        IMAGES,
        IMAGES[..., None],
        IMAGES[:, None],
        (IMAGES / 255).astype(np.float32),
    ],
)
def test_an_npy_array_of_each_layout(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    source = open_source(str(tmp_path / "x.npy"))
    assert np.array_equal(pictures(source, [6, 1]), IMAGES[[6, 1]])


def test_channels_are_told_from_their_number(tmp_path):
    colour = np.random.default_rng(1).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    for array in (colour, colour.transpose(0, 3, 1, 2)):
        np.save(tmp_path / "x.npy", array)
        assert np.array_equal(pictures(open_source(str(tmp_path / "x.npy")), [0, 1]), colour)


def test_floats_outside_the_unit_interval_are_named(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES.astype(np.float32))
    source = open_source(str(tmp_path / "x.npy"))
    with pytest.raises(ValueError, match=r"values are 10 … 248, wanted floats in \[0, 1\]"):
        next(source.read([0]))()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 5, 5), np.int64), "found int64, wanted uint8"),
        (np.zeros((2, 5, 5, 7), np.uint8), r"shape \(2, 5, 5, 7\), wanted \(N, H, W\)"),
        (np.zeros((0, 5, 5), np.uint8), "holds no image"),
        (np.array([{}]), "no complete .npy file of numbers"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match=message):
        open_source(str(tmp_path / "x.npy"))


def data_set(tmp_path: Path) -> pa.Table:
    content = [write_png(tmp_path / "one.png", image).read_bytes() for image in IMAGES]
    (tmp_path / "one.png").unlink()
    table = pa.table(
        {
            "image": [{"bytes": one, "path": f"{i}.png"} for i, one in enumerate(content)],
            "label": [0, 1, 0, 1, 0, 1, 0],
            "age": [1.0, 2, 3, 4, 5, 6, 7],
        }
    )
    kinds = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    written = json.dumps({"info": {"features": kinds}})
    return table.replace_schema_metadata({"huggingface": written})


def test_parquet_files_of_a_hugging_face_data_set(tmp_path):
    table = data_set(tmp_path)
    pq.write_table(table[:4], tmp_path / "train-00000-of-00001.parquet", row_group_size=2)
    pq.write_table(table[4:], tmp_path / "test-00000-of-00001.parquet")
    source = open_source(str(tmp_path))
    assert not source.in_any_order
    assert source.names == ("4.png", "5.png", "6.png", "0.png", "1.png", "2.png", "3.png")
    assert source.columns["label"].tolist() == ["cat", "dog", "cat", "cat", "dog", "cat", "dog"]
    assert source.columns["split"].tolist() == ["test"] * 3 + ["train"] * 4
    assert source.columns["age"].tolist() == [5, 6, 7, 1, 2, 3, 4]
    assert np.array_equal(pictures(source, [1, 3, 6]), IMAGES[[5, 0, 3]])


def test_what_save_to_disk_writes(tmp_path):
    table = data_set(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "state.json").write_text("{}")
    path = str(tmp_path / "train" / "data-00000-of-00001.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    source = open_source(str(tmp_path))
    assert source.columns["label"].tolist() == ["cat", "dog"] * 3 + ["cat"]
    assert set(source.columns["split"]) == {"train"}
    assert np.array_equal(pictures(source, [0, 4, 6]), IMAGES[[0, 4, 6]])


def test_a_table_without_images_is_named(tmp_path):
    pq.write_table(pa.table({"age": [1, 2]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"x\.parquet: found the columns \['age'\], wanted one of"):
        open_source(str(tmp_path))


def test_a_place_that_does_not_exist_is_named_with_what_does(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"no {tmp_path}/no/such.*exists is {tmp_path}\)"):
        open_source(f"{tmp_path}/no/such")


def test_a_folder_without_images_says_what_is_there(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ValueError, match=r"holds no image: found 1 \.txt; wanted files with"):
        open_source(str(tmp_path))


def test_a_file_of_no_known_kind_and_a_kind_that_does_not_fit(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"1")
    with pytest.raises(ValueError, match=r"a\.bin is a file of no known kind, wanted \.zip"):
        open_source(str(tmp_path / "a.bin"))
    with pytest.raises(ValueError, match="is a folder, found 'zip' for its kind"):
        open_source(str(tmp_path), "zip")


def test_labels_of_an_array_are_integers_or_strings(tmp_path):
    np.save(tmp_path / "y.npy", np.array([0.5, 1.5]))
    with pytest.raises(ValueError, match=r"y\.npy: found float64 of shape \(2,\)"):
        read_labels(tmp_path / "x.npy", str(tmp_path / "y.npy"))
    with pytest.raises(ValueError, match=r"label_file: null was found, and x\.npy is not named"):
        read_labels(tmp_path / "x.npy", None)
    with pytest.raises(FileNotFoundError, match=r"gone\.npy: no such file"):
        read_labels(tmp_path / "x.npy", str(tmp_path / "gone.npy"))


def test_a_data_set_is_read_no_further_than_the_last_image_asked_for(tmp_path, monkeypatch):
    table = pa.table({"image": [image.tobytes() for image in IMAGES]})
    pq.write_table(table, tmp_path / "train.parquet")
    pq.write_table(table, tmp_path / "test.parquet")
    source = open_source(str(tmp_path))
    asked = []
    batches = hugging_face._Table._batches
    monkeypatch.setattr(hugging_face, "_ROWS", 2)
    monkeypatch.setattr(
        hugging_face._Table,
        "_batches",
        lambda self, columns: (asked.append(self.path.stem) or b for b in batches(self, columns)),
    )
    assert len(list(source.read([0, 1]))) == 2
    assert asked == ["test"]  # the first by name, one batch of it


def test_images_of_a_data_set_may_have_no_paths(tmp_path):
    rows = pa.array([{"bytes": b"1"}, {"bytes": b"2"}])
    pq.write_table(pa.table({"image": rows}), tmp_path / "x.parquet")
    source = open_source(str(tmp_path))
    assert source.names == ("0", "1")
    assert [reader() for reader in source.read([0, 1])] == [b"1", b"2"]


def test_an_idx_file_that_is_cut_short_is_the_users_to_mend(tmp_path):
    path = write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="wanted 175 for the shape"):
        open_source(str(path))

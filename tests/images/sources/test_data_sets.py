"""Hugging Face data sets: which files, which column, which paths are theirs."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from glance_pipeline.config.ingest import ReadingLimits
from glance_pipeline.images import UnreadableImageError
from glance_pipeline.images.sources.image_source import Rules
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.support.errors import UserError


def write_arrow(path: Path, *contents: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": list(contents)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def state(folder: Path, **said) -> None:
    (folder / "state.json").write_text(json.dumps(said))


def test_the_files_that_the_state_lists_are_read_and_no_cache(tmp_path):
    for split in ("train", "test"):
        write_arrow(tmp_path / split / "data-00000-of-00001.arrow", b"1", b"2")
        write_arrow(tmp_path / split / "cache-0123.arrow", b"1", b"2")
        write_arrow(tmp_path / split / "tmp456", b"1")
        listed = [{"filename": "data-00000-of-00001.arrow"}]
        state(tmp_path / split, _data_files=listed, _split=split)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    source = open_source(str(tmp_path))
    assert len(source) == 4
    assert source.columns["split"].tolist() == ["test", "test", "train", "train"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"_data_files": [{"filename": "gone.arrow"}]}, "names gone.arrow, which is not there"),
        ({"_data_files": [{"filename": "../a.arrow"}]}, r"names '\.\./a\.arrow', wanted files"),
        ({"_data_files": [], "_indices_data_files": [{}]}, "a selection of rows"),
        ({"_data_files": 3}, "no description of a data set"),
    ],
)
def test_a_state_that_does_not_fit_is_named(tmp_path, said, message):
    write_arrow(tmp_path / "data.arrow", b"1")
    state(tmp_path, **said)
    with pytest.raises(UserError, match=message):
        open_source(str(tmp_path))


def test_two_data_sets_in_one_folder_are_refused_and_indices_left_aside(tmp_path):
    pq.write_table(pa.table({"image": [b"1"]}), tmp_path / "train.parquet")
    pq.write_table(pa.table({"image": [b"1"]}), tmp_path / "_index.parquet")
    assert len(open_source(str(tmp_path))) == 1
    write_arrow(tmp_path / "a" / "data.arrow", b"1")
    state(tmp_path / "a", _data_files=[{"filename": "data.arrow"}])
    with pytest.raises(UserError, match=r"holds two data sets, a/data\.arrow and train\.parquet"):
        open_source(str(tmp_path))


def test_paths_within_the_data_set_are_read_and_no_others(tmp_path):
    (tmp_path / "set" / "in").mkdir(parents=True)
    (tmp_path / "set" / "in" / "a.png").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "secret")
    paths = ["in/a.png", "in/../in/a.png", "../secret", str(tmp_path / "secret"), "link.png",
             "file:///x", "C:\\x", "~/x", "\\\\host\\x", "in", "a\0b"]  # fmt: skip
    rows = [{"bytes": None, "path": path} for path in paths]
    pq.write_table(pa.table({"image": rows}), tmp_path / "set" / "train.parquet")
    source = open_source(str(tmp_path / "set"), "hugging_face")
    first, second, *others = source.read(range(len(paths)))
    assert first() == second() == b"inside"
    for path, reader in zip(paths[2:], others, strict=True):
        if path == "in":
            with pytest.raises((UnreadableImageError, OSError)):
                reader()
            continue
        with pytest.raises(UnreadableImageError, match="not within the data set's folder") as error:
            reader()
        assert repr(path) in str(error.value)


def test_of_several_columns_of_images_one_is_named(tmp_path, caplog):
    caplog.set_level("INFO")
    pq.write_table(pa.table({"scan": [b"1"], "mask": [b"2"], "k": [[1]]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"2 columns of images, \['scan', 'mask'\]; name one in"):
        open_source(str(tmp_path))
    source = open_source(str(tmp_path), rules=Rules(image_column="mask"))
    assert [reader() for reader in source.read([0])] == [b"2"]
    assert "columns that are not read: k, scan" in caplog.text
    with pytest.raises(UserError, match=r"ingest\.image_column: found 'k', .* has \['scan'"):
        open_source(str(tmp_path), rules=Rules(image_column="k"))
    pq.write_table(pa.table({"mask": [b"2"], "image": [b"1"]}), tmp_path / "a.parquet")
    assert [reader() for reader in open_source(str(tmp_path)).read([0])] == [b"1"]


def test_a_label_that_is_none_of_the_classes_is_named(tmp_path):
    kinds = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    written = {"huggingface": json.dumps({"info": {"features": kinds}})}
    for values, good in (([0, -1, 1], True), ([0, 2, 1], False)):
        table = pa.table({"image": [b"1"] * 3, "label": values}).replace_schema_metadata(written)
        pq.write_table(table, tmp_path / "a.parquet")
        if good:
            labels = open_source(str(tmp_path)).columns["label"]
            assert labels.fillna("none").tolist() == ["cat", "none", "dog"]
            continue
        with pytest.raises(UserError, match="found 2 in 1 rows, wanted a number of its 2 classes"):
            open_source(str(tmp_path))


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path):
    many = pa.table({"image": [b"1"] * 20_000, "x": np.arange(20_000)})
    pq.write_table(many, tmp_path / "a.parquet")
    rules = Rules(limits=ReadingLimits(table_mb=1, image_mb=0.001))
    with pytest.raises(UserError, match=r"20,000 rows of 1 columns, .* 1 MB of ingest\.limits"):
        open_source(str(tmp_path), rules=rules)
    pq.write_table(pa.table({"image": [bytes(2000)]}), tmp_path / "a.parquet")
    (reader,) = open_source(str(tmp_path), rules=rules).read([0])
    with pytest.raises(UnreadableImageError, match=r"ingest\.limits\.image_mb allows 0\.001"):
        reader()


def test_images_beside_a_parquet_table_are_a_folder_of_images(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "1.png")
    pq.write_table(pa.table({"file": ["1.png"], "age": [3]}), tmp_path / "t.parquet")
    assert open_source(str(tmp_path)).names == ("1.png",)

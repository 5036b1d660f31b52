"""What a folder or a zip may hold beside plain images: links, pipes, odd names, large members."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glance_pipeline.config.ingest import IngestParameters, ReadingLimits
from glance_pipeline.images import UnreadableImageError, find_image_files
from glance_pipeline.images.sources.image_source import Rules
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.ingest.found import find_images
from glance_pipeline.support.errors import UserError


def content(level: int = 0, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), level, np.uint8)).save(file, kind)
    return file.getvalue()


def write(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content(number))
    return folder


def test_links_within_a_folder_are_followed_once_and_loops_end(tmp_path):
    folder = write(tmp_path / "img", "a/1.png", "a/2.png", ".store/3.png")
    (folder / "b").symlink_to(folder / "a")  # read already
    (folder / "c").symlink_to(folder / ".store")  # hidden, but meant
    (folder / "a" / "up").symlink_to(folder)  # a loop
    (folder / "again.png").symlink_to(folder / "a" / "1.png")
    (folder / "broken.png").symlink_to(folder / "gone.png")
    found = find_image_files(folder)
    assert found.files == ["a/1.png", "a/2.png", "c/3.png"]
    assert found.left_out == {
        "links to what is read already": 3,
        "broken links": 1,
        "hidden folders": 1,
    }
    assert [said.partition(" ")[0] for said in found.linked] == ["c"]


def test_a_link_out_of_the_folder_is_refused_or_followed(tmp_path, caplog):
    caplog.set_level("INFO")
    folder = write(tmp_path / "img", "a/1.png")
    outside = write(tmp_path / "store", "2.png", "3.png")
    (folder / "b").symlink_to(outside)
    with pytest.raises(
        UserError, match=rf"links that lead out of it: 1, the first b → {outside}; .*"
    ):
        open_source(str(folder))
    source = open_source(str(folder), rules=Rules(follow_links=True))
    assert source.names == ("a/1.png", "b/2.png", "b/3.png")
    assert [reader() for reader in source.read([1])] == [content(0)]
    assert f"links that are followed: 1, the first b → {outside}" in caplog.text


def test_a_link_above_the_folder_doubles_nothing(tmp_path):
    folder = write(tmp_path / "img", "a/1.png")
    write(tmp_path, "beside.png")
    (folder / "up").symlink_to(tmp_path)
    names = open_source(str(folder), rules=Rules(follow_links=True)).names
    assert names == ("a/1.png", "up/beside.png")


def test_what_is_left_out_is_counted_and_no_pipe_is_opened(tmp_path, caplog):
    caplog.set_level("INFO")
    folder = write(tmp_path / "img", "1.png", "2", "3.heic", "notes.txt", "Thumbs.db", "._1.png")
    (folder / "3.heic").write_bytes(b"\0\0\0\x18ftypheic")
    os.mkfifo(folder / "4.png")
    os.mkfifo(folder / "5")
    assert open_source(str(folder)).names == ("1.png", "2")
    assert "2 pipes, sockets or devices" in caplog.text
    assert "1 files are images by their content" in caplog.text
    assert "1 images are left out, for their formats are not read: .heic" in caplog.text


def test_a_pipe_in_place_of_a_source_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(UserError, match=r"a\.zip is a device or a pipe"):
        open_source(str(tmp_path / "a.zip"))


def test_a_name_that_is_no_utf8_can_be_written_down(tmp_path):
    write(tmp_path, "1.png")
    os.rename(tmp_path / "1.png", os.fsencode(tmp_path) + b"/caf\xe9.png")  # noqa: PTH104
    source = open_source(str(tmp_path))
    assert source.names == ("café.png",)
    assert [reader() for reader in source.read([0])] == [content()]


def test_an_image_file_larger_than_allowed_is_not_read(tmp_path):
    write(tmp_path, "1.png")
    rules = Rules(limits=ReadingLimits(image_mb=0.00001))
    (reader,) = open_source(str(tmp_path), rules=rules).read([0])
    with pytest.raises(UnreadableImageError, match=r"ingest\.limits\.image_mb allows 1e-05"):
        reader()


def zipped(path: Path, members: dict[str | zipfile.ZipInfo, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def test_names_in_a_zip_are_put_right(tmp_path, caplog):
    caplog.set_level("INFO")
    unmarked = zipfile.ZipInfo("x")
    unmarked.filename = "d/été.png".encode().decode("cp437")
    members = {"a\\1.png": b"1", "../b/2.png": b"2", "C:\\c\\3.png": b"3", unmarked: b"4"}
    path = zipped(tmp_path / "a.zip", members)
    whole = Path(path).read_bytes()
    marked = unmarked.filename.encode()  # Python marks it as UTF-8; the old tool wrote bytes
    plain = "d/été.png".encode()
    assert whole.count(marked) == 2
    Path(path).write_bytes(whole)
    names = open_source(path).names
    assert names[:3] == ("a/1.png", "b/2.png", "c/3.png")
    assert "4 names are put right" not in caplog.text and "3 names are put right" in caplog.text
    assert len(plain) < len(marked)


def test_a_member_is_unpacked_no_further_than_allowed(tmp_path):
    path = zipped(tmp_path / "a.zip", {"1.png": bytes(2_000_000), "2.png": b"2"})
    rules = Rules(limits=ReadingLimits(image_mb=1))
    large, small = open_source(path, rules=rules).read([0, 1])
    with pytest.raises(UnreadableImageError, match=r"2\.0 MB or more, .*image_mb allows 1"):
        large()
    assert small() == b"2"


def test_links_folders_and_hidden_members_of_a_zip_are_no_images(tmp_path, caplog):
    caplog.set_level("INFO")
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    nameless = zipfile.ZipInfo("x")
    nameless.filename = ""
    members = {
        "a/": b"",
        nameless: b"",
        "a/1.png": b"1",
        link: b"/etc/passwd",
        "__MACOSX/._1.png": b"",
        "x": b"?",
    }
    assert open_source(zipped(tmp_path / "a.zip", members)).names == ("a/1.png",)
    assert "1 links or devices, 1 hidden, 1 without suffix" in caplog.text


def test_an_encrypted_member_is_named_as_such(tmp_path):
    path = Path(zipped(tmp_path / "a.zip", {"1.png": b"1"}))
    whole = bytearray(path.read_bytes())
    whole[6] |= 1  # the flag in the member's header, and in the directory
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(whole)
    (reader,) = open_source(str(path)).read([0])
    with pytest.raises(UnreadableImageError, match="it is encrypted"):
        reader()


def parameters(source: Path, **fields) -> IngestParameters:
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
    return IngestParameters(source=str(source), labels="folders", fractions=shares, **fields)


def test_classes_within_classes_are_refused_and_odd_ones_named(tmp_path, caplog):
    names = [f"{name}/{number}.png" for name in ("cat", "Cat", "dog") for number in range(10)]
    folder = write(tmp_path / "img", *names, "loose.png")
    find_images(parameters(folder), {}, 0)
    assert "1 images lie in no folder and have no label" in caplog.text
    assert "differ in their case alone: ['Cat', 'cat']" in caplog.text
    write(folder, "cat/young/1.png")
    with pytest.raises(UserError, match=r"images lie in cat and in cat/young within it"):
        find_images(parameters(folder), {}, 0)


def test_the_same_class_in_folders_of_splits_is_one_class(tmp_path):
    names = [f"{split}/{name}/{n}.png" for split in "ab" for name in "xy" for n in range(8)]
    found = find_images(parameters(write(tmp_path / "img", *names)), {}, 0)
    assert set(found.records["label"]) == {"x", "y"}


@pytest.mark.parametrize(("order", "right"), [("names_as_numbers", 1.0), ("names_as_text", 0.0)])
def test_a_file_of_labels_is_in_the_order_that_is_stated(tmp_path, order, right, caplog):
    caplog.set_level("INFO")
    folder = write(tmp_path / "img", *(f"x {number}.png" for number in range(30)))
    np.save(tmp_path / "y.npy", np.array([f"class {n // 10}" for n in range(30)]))
    given = parameters(folder).model_copy(
        update={"labels": "file", "label_file": str(tmp_path / "y.npy")}
    )
    with pytest.raises(UserError, match=r"nothing says which image .* ingest\.label_order"):
        find_images(given, {}, 0)
    records = find_images(given.model_copy(update={"label_order": order}), {}, 0).records
    numbers = records["file"].str[2:-4].astype(int)
    assert (records["label"] == "class " + (numbers // 10).astype(str)).all() == bool(right)
    third = "x 2.png" if right else "x 10.png"
    assert f"x 0.png ↔ class 0; x 1.png ↔ class 0; {third} ↔ class 0" in caplog.text
    write(folder, "no number.png")
    np.save(tmp_path / "y.npy", np.arange(31) % 3)
    with pytest.raises(UserError, match=r"no number\.png ends in none"):
        find_images(given.model_copy(update={"label_order": "names_as_numbers"}), {}, 0)

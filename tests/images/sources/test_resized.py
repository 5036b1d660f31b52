"""Images are made block by block while they are saved, and what cannot be read is named."""

import struct
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pytest

from glance_pipeline.datasets import ImageArrayDataset
from glance_pipeline.images import Form
from glance_pipeline.images.sources import resized
from glance_pipeline.images.sources.image_source import ImageSource, Raw, Reader
from glance_pipeline.images.sources.resized import ResizedImages, channels_of


def image(number: int) -> np.ndarray:
    return np.full((8, 8), number, dtype=np.uint8)


def source_of(count: int, broken: Sequence[int] = ()) -> ImageSource:
    """Return images that are their number all over, some of them no images."""

    def content(row: int) -> Raw:
        return b"no image" if row in broken else image(row)

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        return (partial(content, row) for row in rows)

    return ImageSource("a test", tuple(f"{row}.png" for row in range(count)), read)


def images_of(source: ImageSource, rows: Sequence[int], **options) -> ResizedImages:
    return ResizedImages(
        source, rows, Form(channels=1, size=8), **{"most_corrupt": 0.5, "workers": 2, **options}
    )


def test_the_array_holds_what_was_read_in_its_order(tmp_path, monkeypatch):
    monkeypatch.setattr(resized, "BLOCK", 3)
    images = images_of(source_of(10, broken=[1, 4]), [9, 1, 3, 4, 0, 2, 7])
    dataset = ImageArrayDataset(filepath=str(tmp_path / "images.npy"))
    dataset.save(images)
    assert images.read.tolist() == [9, 3, 0, 2, 7]
    assert np.array_equal(dataset.load(), np.stack([image(i)[None] for i in images.read]))
    assert images.unreadable["file"].tolist() == ["1.png", "4.png"]
    assert images.unreadable["reason"].str.contains("no known image format").all()


def test_one_block_is_in_memory_at_a_time(monkeypatch):
    monkeypatch.setattr(resized, "BLOCK", 4)
    assert [len(block) for block in images_of(source_of(10), range(10))] == [4, 4, 2]


def test_any_number_of_workers_makes_the_same(tmp_path):
    source = source_of(100, broken=[5])
    one, four = (np.concatenate(list(images_of(source, range(100), workers=w))) for w in (1, 4))
    assert np.array_equal(one, four)


def test_too_many_unreadable_images_stop_it_naming_the_first(monkeypatch):
    monkeypatch.setattr(resized, "BLOCK", 10)
    images = images_of(source_of(100, broken=range(8)), range(100), most_corrupt=0.05)
    message = (
        r"a test: 8 of the 10 images so far cannot be read, ingest.most_corrupt 0.05 allows 5 of "
        r"100: 0.png \(8 bytes of no known image format\); .*4.png \(.*\); and 3 more"
    )
    with pytest.raises(ValueError, match=message):
        list(images)


def test_none_readable_is_an_error_whatever_is_allowed():
    images = images_of(source_of(2, broken=[0, 1]), [0, 1], most_corrupt=1.0)
    with pytest.raises(ValueError, match="2 of the 2 images so far cannot be read"):
        list(images)


def test_a_failure_leaves_no_file(tmp_path):
    dataset = ImageArrayDataset(filepath=str(tmp_path / "images.npy"))
    with pytest.raises(Exception, match="cannot be read"):
        dataset.save(images_of(source_of(4, broken=[3]), range(4), most_corrupt=0))
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_is_not_known_before_it_was():
    with pytest.raises(RuntimeError, match="have not been read"):
        _ = images_of(source_of(2), [0, 1]).read


def test_what_was_done_to_images_is_logged(caplog):
    caplog.set_level("INFO")
    list(ResizedImages(source_of(3, broken=[2]), [0, 1, 2], Form(channels=3, size=8), 0.5, 1))
    assert "a test: 2 images were made RGB from grey" in caplog.text
    assert "left out: 2.png cannot be read" in caplog.text


def test_one_colour_image_of_a_sample_makes_all_rgb():
    assert channels_of(source_of(5), range(5)) == 1
    mixed = source_of(5)
    colour = np.zeros((8, 8, 3), dtype=np.uint8)

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        return (partial(lambda row: colour if row == 3 else image(row), row) for row in rows)

    assert channels_of(ImageSource("mixed", mixed.names, read), range(5)) == 3


def test_whatever_a_decoder_raises_makes_an_image_unreadable(monkeypatch):
    def decode(raw: Raw, *_form: object) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr(resized, "decode", decode)
    monkeypatch.setattr(resized, "read_picture", decode)
    assert channels_of(source_of(3), range(3)) == 1
    with pytest.raises(ValueError, match=r"0\.png \(error: unpack requires a buffer of 4 bytes"):
        list(images_of(source_of(3), range(3)))

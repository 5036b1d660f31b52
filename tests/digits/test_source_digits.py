import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from glance_pipeline.digits.sources import read_embedded_digits, read_idx_digits
from glance_pipeline.images.idx import read_idx

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(array: np.ndarray, magic: int | None = None) -> bytes:
    header = struct.pack(">I", magic if magic is not None else 0x0800 | array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, images) -> Path:
    (tmp_path / IMAGES).write_bytes(idx(images))
    (tmp_path / LABELS).write_bytes(idx(np.arange(6, dtype=np.uint8)))
    return tmp_path


def test_reads_plain_and_zipped_files_in_the_order_of_their_names(folder, images):
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(255 - images)))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx(np.full(6, 9, dtype=np.uint8)))
    )
    digits, labels = read_idx_digits(folder)
    assert np.array_equal(digits, np.concatenate([images, 255 - images]))
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 9]


def test_no_images(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found none in .*wanted .*-images-idx3-ubyte"):
        read_idx_digits(tmp_path)


def test_no_labels(folder):
    (folder / LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"{LABELS}.*no such file"):
        read_idx_digits(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08", "found 3 bytes, wanted a header of 16.*cut short"),
        (idx(np.zeros((6, 28, 28), np.uint8))[:-5], "found 4699 bytes of data, wanted 4704"),
        (
            idx(np.zeros((6, 28, 28), np.uint8)) + b"\0",
            "found more bytes .* 4704 .*too long",
        ),
        (idx(np.zeros((6, 28, 28), np.uint8), 2049), "found magic number 2049, wanted 2051"),
        (idx(np.zeros((6, 27, 28), np.uint8)), "found images of 27×28 px, wanted 28×28"),
        (idx(np.zeros((5, 28, 28), np.uint8)), "found 6 labels, wanted 5"),
    ],
)
def test_a_broken_file_is_refused(folder, content, message):
    (folder / IMAGES).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx_digits(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("end", [50, -4])
def test_a_zipped_file_that_is_cut_short_is_refused(tmp_path, images, end):
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(gzip.compress(idx(images))[:end])
    with pytest.raises(ValueError, match="no complete gzip file"):
        read_idx(path, 3)


def test_embedded_digits():
    digits, labels = read_embedded_digits()
    assert digits.shape == (5000, 28, 28)
    assert digits.dtype == np.uint8
    assert digits.max() == 255
    assert np.bincount(labels).tolist() == [500] * 10

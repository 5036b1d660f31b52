import errno

import numpy as np
import pytest
from kedro.io import DatasetError, Version

from glance_pipeline.datasets.image_array_dataset import ImageArrayDataset

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)


def test_round_trip_is_memory_mapped_and_read_only(tmp_path):
    dataset = ImageArrayDataset(filepath=str(tmp_path / "deep" / "images.npy"))
    assert not dataset.exists()
    dataset.save(IMAGES)
    loaded = dataset.load()
    assert isinstance(loaded, np.memmap)
    assert np.array_equal(loaded, IMAGES)
    with pytest.raises(ValueError, match="read-only"):
        loaded[0] = 0
    assert dataset.exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["images.npy"]


def test_versions_lie_in_folders(tmp_path):
    file = tmp_path / "images.npy"
    ImageArrayDataset(filepath=str(file), version=Version(None, "1")).save(IMAGES)
    ImageArrayDataset(filepath=str(file), version=Version(None, "2")).save(255 - IMAGES)
    assert (file / "1" / "images.npy").is_file()
    assert np.array_equal(
        ImageArrayDataset(filepath=str(file), version=Version(None, None)).load(), 255 - IMAGES
    )


def test_a_full_disk_leaves_the_previous_version(tmp_path, monkeypatch):
    file = tmp_path / "images.npy"
    ImageArrayDataset(filepath=str(file), version=Version(None, "1")).save(IMAGES)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(DatasetError, match="No space left"):
        ImageArrayDataset(filepath=str(file), version=Version(None, "2")).save(IMAGES)
    assert [path.name for path in file.iterdir()] == ["1"]
    assert np.array_equal(
        ImageArrayDataset(filepath=str(file), version=Version(None, None)).load(), IMAGES
    )


def test_other_dtypes_are_refused(tmp_path):
    file = tmp_path / "images.npy"
    with pytest.raises(DatasetError, match="found float64 to save, wanted uint8"):
        ImageArrayDataset(filepath=str(file)).save(IMAGES / 255)
    np.save(file, IMAGES / 255)
    with pytest.raises(DatasetError, match="found float64, wanted uint8"):
        ImageArrayDataset(filepath=str(file)).load()


def test_blocks_are_written_one_after_another(tmp_path):
    dataset = ImageArrayDataset(filepath=str(tmp_path / "images.npy"))
    dataset.save(block for block in (IMAGES[:2], IMAGES[2:3], IMAGES[3:]))
    assert np.array_equal(dataset.load(), IMAGES)
    whole = ImageArrayDataset(filepath=str(tmp_path / "whole.npy"))
    whole.save(IMAGES)
    sizes = {name: (tmp_path / f"{name}.npy").stat().st_size for name in ("images", "whole")}
    assert sizes["images"] == sizes["whole"]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([IMAGES, IMAGES / 255], "found float64 to save"),
        ([IMAGES, IMAGES[:, :, :4]], r"found a block of \(1, 4, 8\), wanted \(1, 8, 8\)"),
        ([], "found no image to save"),
    ],
)
def test_blocks_that_do_not_fit_leave_nothing(tmp_path, blocks, message):
    with pytest.raises(DatasetError, match=message):
        ImageArrayDataset(filepath=str(tmp_path / "deep" / "images.npy")).save(blocks)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_broken_file_is_refused(tmp_path, keep):
    file = tmp_path / "images.npy"
    np.save(file, IMAGES)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=f"{keep} bytes were found which are no complete"):
        ImageArrayDataset(filepath=str(file)).load()

"""Dataset of one big array of images, memory-mapped when it is read."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from kedro.io import DatasetError

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.support.whole import whole_file


class ImageArrayDataset(VersionedPathDataset[np.ndarray]):
    """A uint8 array in a ``.npy`` file: loaded memory-mapped and read-only, saved all or nothing.

    What is too large for memory is saved block by block, see ``save``.

    In the catalog::

        images:
          type: glance_pipeline.datasets.image_array_dataset.ImageArrayDataset
          filepath: ${globals:data_root}/05_model_input/images.npy
          versioned: true
    """

    def load(self) -> np.ndarray:
        """Map the array into memory, read-only.

        Raises:
            DatasetError: if the file is no complete ``.npy`` file, or not of uint8.
        """
        path = self.load_path
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise DatasetError(
                f"images {path}: {path.stat().st_size} bytes were found which are no complete "
                f".npy file ({error})"
            ) from error
        if array.dtype != np.uint8:
            raise DatasetError(f"images {path}: found {array.dtype}, wanted uint8")
        return array

    def save(self, data: np.ndarray | Iterable[np.ndarray]) -> None:
        """Write the array beside its place and then move it there.

        Args:
            data: the array, or blocks of its rows, which may be made while they are written; one
                of them is in memory at a time.

        Raises:
            DatasetError: if it is not of uint8, or there is no block, or they do not fit.
        """
        path = self.save_path
        with whole_file(path) as file:
            if isinstance(data, np.ndarray):
                _check_dtype(path, data)
                np.save(file, data, allow_pickle=False)
            else:
                _write_blocks(file, path, data)


def _check_dtype(path: Path, data: np.ndarray) -> None:
    if data.dtype != np.uint8:
        raise DatasetError(f"images {path}: found {data.dtype} to save, wanted uint8")


def _write_blocks(file: BinaryIO, path: Path, blocks: Iterable[np.ndarray]) -> None:
    """Write a ``.npy`` file whose number of rows is known only in the end.

    NumPy leaves room in the header for the number to grow.
    """
    shape: tuple[int, ...] | None = None
    count = 0
    for block in blocks:
        _check_dtype(path, block)
        if shape is None:
            shape = block.shape[1:]
            _write_header(file, (0, *shape))
            start = file.tell()
        elif block.shape[1:] != shape:
            raise DatasetError(f"images {path}: found a block of {block.shape[1:]}, wanted {shape}")
        file.write(np.ascontiguousarray(block).data)
        count += len(block)
    if shape is None:
        raise DatasetError(f"images {path}: found no image to save")
    file.seek(0)
    _write_header(file, (count, *shape))
    if file.tell() != start:
        raise DatasetError(f"images {path}: a header for {count} images does not fit")
    file.seek(0, os.SEEK_END)


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)

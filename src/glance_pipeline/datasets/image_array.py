"""Dataset of one big array of images, memory-mapped when it is read."""

import numpy as np
from kedro.io import DatasetError

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.datasets.whole_file import whole_file


class ImageArrayDataset(VersionedPathDataset[np.ndarray]):
    """A uint8 array in a ``.npy`` file: loaded memory-mapped and read-only, saved all or nothing.

    In the catalog::

        images:
          type: glance_pipeline.datasets.image_array.ImageArrayDataset
          filepath: ${globals:data_root}/05_model_input/images.npy
          versioned: true
    """

    def load(self) -> np.ndarray:
        """Map the array into memory, read-only.

        Raises:
            DatasetError: where the file is no complete ``.npy`` file, or not of uint8.
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

    def save(self, data: np.ndarray) -> None:
        """Write the array beside its place and then move it there.

        Raises:
            DatasetError: where it is not of uint8.
        """
        path = self.save_path
        if data.dtype != np.uint8:
            raise DatasetError(f"images {path}: found {data.dtype} to save, wanted uint8")
        with whole_file(path) as file:
            np.save(file, data, allow_pickle=False)

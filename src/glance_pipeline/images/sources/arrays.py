"""Images in one array: an ``.npy`` file, or an idx file as MNIST has them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from glance_pipeline.images.idx import read_idx
from glance_pipeline.images.sources.image_source import ImageSource, Reader, Rules
from glance_pipeline.support.errors import UserError


def open_npy(path: Path, _rules: Rules) -> ImageSource:
    """Map an array (N, H, W), (N, H, W, C) or (N, C, H, W) into memory, C being 1, 3 or 4.

    Its values are uint8, or floats between 0 and 1.

    Raises:
        UserError: if it is no complete ``.npy`` file, or of another shape or kind of number.
    """
    array = read_npy(path)
    if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
        raise UserError(f"array {path}: found {array.dtype}, wanted uint8, or floats in [0, 1]")
    channels_last = array.ndim == 4 and array.shape[-1] in (1, 3, 4)
    channels_first = array.ndim == 4 and array.shape[1] in (1, 3, 4) and not channels_last
    doubtful = channels_last and array.shape[1] in (1, 3, 4)
    if array.ndim == 3 and array.shape[-1] in (1, 3, 4):
        doubtful = True  # more likely one image in colour than many of so few columns
    if (array.ndim != 3 and not channels_last and not channels_first) or doubtful:
        raise UserError(
            f"array {path}: found the shape {array.shape}, wanted (N, H, W), (N, H, W, C) or "
            "(N, C, H, W) with 1, 3 or 4 channels, height and width being others"
        )
    return _of_array(f"array {path}", array, channels_first)


def open_idx(path: Path, rules: Rules) -> ImageSource:
    """Read an idx file of grey images, zipped or not; see ``morphometry.digits.read_idx``."""
    array = read_idx(path, 3, rules.limits.array_mb)
    return _of_array(f"idx file {path}", array, channels_first=False)


def read_labels(source: Path, label_file: str | None, most_megabytes: float = 2000) -> np.ndarray:
    """Read a file of labels, by default the one beside an idx file of images.

    Args:
        source: source of the images.
        label_file: an ``.npy`` or idx file; null takes ``…-labels-idx1-ubyte`` (.gz) beside
            ``…-images-idx3-ubyte``.
        most_megabytes: of an idx file once it is unpacked.

    Returns:
        One-dimensional, integers or strings.

    Raises:
        FileNotFoundError: if there is no such file.
        UserError: if it cannot be told from the source, or is not what it should be.
    """
    path = Path(label_file) if label_file is not None else _beside(source)
    if path.suffix.lower() != ".npy":
        return read_idx(path, 1, most_megabytes).astype(np.int64)
    labels = read_npy(path)
    if labels.ndim != 1 or labels.dtype.kind not in "iuUb" or not labels.size:
        raise UserError(
            f"ingest.label_file {path}: found {labels.dtype} of shape {labels.shape}, wanted one "
            "integer or string for each image"
        )
    return np.asarray(labels)


def read_npy(path: Path) -> np.ndarray:
    """Map an ``.npy`` file into memory, read-only, without running any code in it.

    Raises:
        FileNotFoundError: if there is no such file.
        UserError: if it is no complete ``.npy`` file, or holds Python objects.
    """
    if not path.is_file():
        raise FileNotFoundError(f"array {path}: no such file")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):  # an archive of several arrays
            array.close()
            raise ValueError("it is an .npz archive; save the one array as .npy")
        return array
    except Exception as error:  # a broken header raises SyntaxError, TypeError, OverflowError, …
        raise UserError(
            f"array {path}: {path.stat().st_size} bytes were found which are no complete .npy "
            f"file of numbers ({error})"
        ) from error


def _beside(source: Path) -> Path:
    name = source.name.removesuffix(".gz")
    if "images-idx3" not in name:
        raise UserError(
            f"ingest.label_file: null was found, and {source.name} is not named as "
            "…-images-idx3-ubyte is; name the file of labels"
        )
    plain = source.with_name(name.replace("images-idx3", "labels-idx1"))
    return plain if plain.is_file() else plain.with_name(plain.name + ".gz")


_MOST_IMAGES = 20_000_000
"""A file with holes may say that it has more than memory could hold the names of."""


def _of_array(place: str, array: np.ndarray, channels_first: bool) -> ImageSource:
    if not array.size:
        raise UserError(f"ingest.source: {place} holds no image: its shape is {array.shape}")
    if len(array) > _MOST_IMAGES:
        raise UserError(
            f"ingest.source: {place} holds {len(array):,} images, wanted at most {_MOST_IMAGES:,}"
        )

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        return (partial(_image, array, row, channels_first) for row in rows)

    names = tuple(str(row) for row in range(len(array)))
    return ImageSource(place, names, read, has_order=True)


def _image(array: np.ndarray, row: int, channels_first: bool) -> np.ndarray:
    """Return one image as uint8, (H, W) or (H, W, C)."""
    image = np.array(array[row])
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        if not (low >= 0 and high <= 1):
            raise UserError(f"its values are {low:g} … {high:g}, wanted floats in [0, 1] or uint8")
        image = np.rint(image * 255).astype(np.uint8)
    return image.transpose(1, 2, 0) if channels_first else image

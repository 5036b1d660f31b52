"""Choosing the images to explain: by number among the prepared ones, or from files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from glance_pipeline.explanations.local import Source


@dataclass(frozen=True)
class ChosenImages:
    """Images with where they come from.

    Attributes:
        images: uint8, (N, C, H, W).
        sources: one for each image.
    """

    images: np.ndarray
    sources: tuple[Source, ...]


def first_of_split(records: pd.DataFrame, count: int, split: str = "test") -> tuple[int, ...]:
    """Return the numbers of the first ``count`` images of a split.

    Raises:
        ValueError: where the split holds no image.
    """
    found = np.flatnonzero(records["split"].to_numpy() == split)[:count]
    if not len(found):
        raise ValueError(f"explain.images: no image belongs to the split {split!r}")
    return tuple(found.tolist())


def choose_images(
    chosen: Sequence[int | str], images: np.ndarray, records: pd.DataFrame
) -> ChosenImages:
    """Collect the chosen images.

    Args:
        chosen: indices into ``images``, and paths of image files.
        images: uint8, (N, C, H, W).
        records: one row an image, with its ``label``.

    Raises:
        ValueError: where an index is out of range, or a file is missing or no image.
    """
    shape = images.shape[1:]
    parts, sources = [], []
    for one in chosen:
        if isinstance(one, int):
            if one >= len(images):
                raise ValueError(
                    f"explain.images: there is no image {one}; "
                    f"{len(images)} images are numbered 0 to {len(images) - 1}"
                )
            parts.append(np.asarray(images[one]))
            label = str(records["label"].iloc[one])
            sources.append(Source(name=f"image {one}", index=one, label=label))
        else:
            picture, notes = read_image(Path(one).expanduser(), (shape[0], shape[1], shape[2]))
            parts.append(picture)
            sources.append(Source(name=one, notes=notes))
    return ChosenImages(np.stack(parts), tuple(sources))


def read_image(path: Path, shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file into the classifier's channels and size.

    Args:
        path: of a file that Pillow reads with 8 bits a channel; PNG and JPEG among others.
        shape: (channels, height, width) wanted; 1 channel makes it grey, 3 RGB.

    Returns:
        The image, uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        ValueError: where the file is missing, is no image, or has more than 8 bits a channel.
    """
    channels, height, width = shape
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            picture.load()
    except FileNotFoundError as error:
        raise ValueError(f"explain.images: there is no file {path}") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"explain.images: {path} cannot be read as an image: {error}") from error
    if picture.mode.startswith(("I", "F")):
        raise ValueError(
            f"explain.images: {path} has more than 8 bits a channel (mode {picture.mode}); "
            "save it with 8 bits"
        )
    notes = []
    if picture.width * height != picture.height * width:
        notes.append(
            f"The file is {picture.width}×{picture.height} pixels; "
            f"it was squeezed to the classifier's {width}×{height}."
        )
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    array = np.asarray(picture, dtype=np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1)), tuple(notes)

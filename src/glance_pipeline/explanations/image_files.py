"""Image files, brought into the form that the classifier takes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from glance_pipeline.errors import UserError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""What an image in a folder is known by; a file that is named itself may have any."""


def files_in(folder: Path) -> list[Path]:
    """Return all image files of a folder and of those in it, sorted by path.

    What is hidden (a name that starts with a dot) is passed over, and so is what does not end
    like an image.

    Raises:
        UserError: where there is none.
    """
    files = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
    if not files:
        raise UserError(
            f"explain.images: the folder {folder} holds no image; "
            f"looked for {', '.join(sorted(SUFFIXES))}"
        )
    return sorted(files, key=lambda path: path.relative_to(folder).parts)


def check_image(path: Path) -> None:
    """Read the first bytes of an image file.

    Raises:
        UserError: where the file is missing, is no image, has more than 8 bits a channel, or
            so many pixels that Pillow refuses it (179 million).
    """
    _open(path).close()


def read_image(path: Path, shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file into the classifier's channels and size.

    Args:
        path: of a file that Pillow reads with 8 bits a channel; PNG and JPEG among others.
        shape: (channels, height, width) wanted; 1 channel makes it grey, 3 RGB.

    Returns:
        The image, uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        UserError: as ``check_image``, and where the file is damaged further on.
    """
    channels, height, width = shape
    with _open(path) as file:
        try:
            picture = ImageOps.exif_transpose(file)
            picture.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise _unreadable(path, error) from error
    notes = []
    if picture.width * height != picture.height * width:
        notes.append(
            f"The file is {picture.width}×{picture.height} pixels; "
            f"it was squeezed to the classifier's {width}×{height}."
        )
    if picture.has_transparency_data and np.asarray(picture.convert("RGBA"))[..., 3].min() < 255:
        notes.append("The file's transparency was left out; its colours stayed as they are.")
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    array = np.asarray(picture, dtype=np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1)), tuple(notes)


def _open(path: Path) -> Image.Image:
    try:
        picture = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"explain.images: there is no file {path}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from error
    except Image.DecompressionBombError as error:
        raise UserError(
            f"explain.images: {path} has too many pixels to be read: {error}; save it smaller"
        ) from error
    if picture.mode.startswith(("I", "F")):
        picture.close()
        raise UserError(
            f"explain.images: {path} has more than 8 bits a channel (mode {picture.mode}); "
            "save it with 8 bits"
        )
    return picture


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(f"explain.images: {path} cannot be read as an image: {error}")

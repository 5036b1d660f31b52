"""One image: from the content of a file to the array that the networks take.

``ingest`` brings the images to be trained on into their form here, and ``explain`` a file that it
is given: the classifier is to be asked about the same picture.
"""

import io
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict

Raw = bytes | np.ndarray
"""An image file's content, or the image itself: uint8 (H, W) or (H, W, C)."""

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm")
)
"""What an image in a folder is known by."""

TURNED = "turned upright as EXIF data say"
ON_WHITE = "laid on white where transparent"
OPAQUE = "taken as opaque, its transparency left out"
MADE_GREY = "made grey from colour"
MADE_RGB = "made RGB from grey"
SQUEEZED = "squeezed into a square; see ingest.crop"

_ORIENTATION = 0x0112  # the EXIF tag
_GREY = ("1", "L", "LA")


class UnreadableImageError(ValueError):
    """An image that cannot be used; the message says why, without the name."""


class Form(BaseModel):
    """What is made of every image.

    Attributes:
        channels: 1, grey, or 3, RGB.
        size: height and width, px.
        crop: side of the centre square that is cut out first, px; ``square`` for the largest one;
            None for the whole image.
        resampling: name of Pillow's filter.
        transparency: what is transparent is laid on white, or opaque in the colours that it has,
            as for digits, which are white themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Literal[1, 3]
    size: int
    crop: int | Literal["square"] | None = None
    resampling: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"
    transparency: Literal["white", "opaque"] = "white"


def is_image_name(name: str) -> bool:
    """Say whether a path looks like an image's: by its suffix, and nothing hidden on its way."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def read_picture(raw: Raw, form: Form) -> tuple[np.ndarray, list[str]]:
    """Decode an image file and bring it into a form.

    Args:
        raw: content of a file, or the image as an array.
        form: the channels and size wanted, and the way there.

    Returns:
        uint8 (C, H, W), and what was done to it that changes its look: what "it was" or "they
        were", ``SQUEEZED`` and the like.

    Raises:
        UnreadableImageError: where it is no image, broken, has more than 8 bits a channel, or is
            smaller than the crop.
    """
    picture, notes = decode(raw, form.transparency)
    array, more = fit(picture, form)
    return array, notes + more


def open_picture(file: Path | io.BytesIO) -> Image.Image:
    """Read the first bytes of an image file.

    Args:
        file: its path, or its content.

    Returns:
        The picture, whose pixels are not decoded yet.

    Raises:
        FileNotFoundError: where there is no such file.
        UnreadableImageError: where it is no image, or has more than 8 bits a channel, or so many
            pixels that Pillow refuses it (179 million).
    """
    try:
        picture = Image.open(file)
    except FileNotFoundError:
        raise
    except UnidentifiedImageError as error:
        size = file.getbuffer().nbytes if isinstance(file, io.BytesIO) else file.stat().st_size
        raise UnreadableImageError(f"{size} bytes of no known image format") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"it has too many pixels: {error}; save it smaller") from error
    except Exception as error:  # a broken file may raise anything in Pillow: struct.error, …
        raise UnreadableImageError(str(error)) from error
    if picture.mode.startswith(("I", "F")):
        picture.close()
        raise _too_deep(picture.mode)
    return picture


def decode(
    raw: Raw, transparency: Literal["white", "opaque"] = "white"
) -> tuple[Image.Image, list[str]]:
    """Decode an image file, turned upright as its EXIF data say, without transparency.

    Args:
        raw: content of a file, or the image as an array.
        transparency: see ``Form``.

    Returns:
        The picture, mode ``L`` or ``RGB``, and what was done to it.

    Raises:
        UnreadableImageError: where it is no image, broken, or has more than 8 bits a channel.
    """
    notes = []
    if isinstance(raw, np.ndarray):
        picture = _of_array(raw)
    else:
        picture = open_picture(io.BytesIO(raw))
        try:
            if picture.getexif().get(_ORIENTATION, 1) != 1:
                picture = ImageOps.exif_transpose(picture)
                notes.append(TURNED)
            picture.load()
        except Exception as error:  # as above
            raise UnreadableImageError(str(error)) from error
    mode = "L" if picture.mode in _GREY else "RGB"
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        if np.asarray(over)[..., 3].min() < 255:
            notes.append(ON_WHITE if transparency == "white" else OPAQUE)
        if transparency == "white":
            picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture.convert(mode), notes


def fit(picture: Image.Image, form: Form) -> tuple[np.ndarray, list[str]]:
    """Cut, convert and resize a picture.

    Returns:
        uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        UnreadableImageError: where it is smaller than the crop.
    """
    notes = []
    wanted = "L" if form.channels == 1 else "RGB"
    if picture.mode != wanted:
        notes.append(MADE_GREY if wanted == "L" else MADE_RGB)
        picture = picture.convert(wanted)
    if form.crop is not None:
        picture = _centre(picture, min(picture.size) if form.crop == "square" else form.crop)
    if picture.width != picture.height:
        notes.append(SQUEEZED)
    if picture.size != (form.size, form.size):
        resampling = Image.Resampling[form.resampling.upper()]
        picture = picture.resize((form.size, form.size), resampling)
    array = np.asarray(picture, dtype=np.uint8).reshape(form.size, form.size, form.channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1)), notes


def _of_array(raw: np.ndarray) -> Image.Image:
    try:
        picture = Image.fromarray(raw[..., 0] if raw.ndim == 3 and raw.shape[2] == 1 else raw)
    except (TypeError, ValueError) as error:
        raise UnreadableImageError(str(error)) from error
    if picture.mode.startswith(("I", "F")):
        raise _too_deep(picture.mode)
    return picture


def _too_deep(mode: str) -> UnreadableImageError:
    return UnreadableImageError(
        f"it has more than 8 bits a channel (mode {mode}); save it with 8 bits"
    )


def _centre(picture: Image.Image, side: int) -> Image.Image:
    width, height = picture.size
    if min(width, height) < side:
        raise UnreadableImageError(
            f"it is {width}×{height} px, less than the {side} px of ingest.crop"
        )
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))

"""One image: from the content of a file to the array that the networks take."""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from glance_pipeline.ingest.source import Raw

_TURNED = 0x0112  # the EXIF tag of the orientation
_GREY = ("1", "L", "LA")


class UnreadableImageError(ValueError):
    """An image that cannot be used; the message says why, without the name."""


@dataclass(frozen=True)
class Form:
    """What is made of every image.

    Attributes:
        channels: 1, grey, or 3, RGB.
        size: height and width, px.
        crop: side of the centre square that is cut out first, px; ``square`` for the largest one;
            None for the whole image.
        resampling: name of Pillow's filter.
    """

    channels: Literal[1, 3]
    size: int
    crop: int | Literal["square"] | None = None
    resampling: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"


def decode(raw: Raw) -> tuple[Image.Image, list[str]]:
    """Decode an image file, turned upright as its EXIF data say, its transparency laid on white.

    Args:
        raw: content of a file, or the image as an array.

    Returns:
        The picture, mode ``L`` or ``RGB``, and what was done to it.

    Raises:
        UnreadableImageError: where it is no image, broken, or has more than 8 bits a channel.
    """
    notes = []
    try:
        if isinstance(raw, np.ndarray):
            picture = Image.fromarray(raw[..., 0] if raw.ndim == 3 and raw.shape[2] == 1 else raw)
        else:
            picture = Image.open(io.BytesIO(raw))
            if picture.getexif().get(_TURNED, 1) != 1:
                picture = ImageOps.exif_transpose(picture)
                notes.append("were turned as their EXIF data say")
            picture.load()
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{len(raw)} bytes of no known image format") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(str(error)) from error
    if picture.mode.startswith(("I", "F")):
        raise UnreadableImageError(
            f"it has more than 8 bits a channel (mode {picture.mode}); save it with 8 bits"
        )
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        grey = picture.mode in _GREY
        picture = Image.alpha_composite(white, over).convert("L" if grey else "RGB")
        if np.asarray(over)[..., 3].min() < 255:
            notes.append("are transparent in places and were laid on white")
    return picture.convert("L" if picture.mode in _GREY else "RGB"), notes


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
        notes.append("were in colour and made grey" if wanted == "L" else "were grey and made RGB")
        picture = picture.convert(wanted)
    if form.crop is not None:
        picture = _centre(picture, min(picture.size) if form.crop == "square" else form.crop)
    if picture.width != picture.height:
        notes.append("were not square and were squeezed; see ingest.crop")
    if picture.size != (form.size, form.size):
        resampling = Image.Resampling[form.resampling.upper()]
        picture = picture.resize((form.size, form.size), resampling)
    array = np.asarray(picture, dtype=np.uint8).reshape(form.size, form.size, form.channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1)), notes


def _centre(picture: Image.Image, side: int) -> Image.Image:
    width, height = picture.size
    if min(width, height) < side:
        raise UnreadableImageError(
            f"it is {width}×{height} px, less than the {side} px of ingest.crop"
        )
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))

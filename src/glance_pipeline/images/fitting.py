"""A decoded picture is cut, converted and resized into the form that is wanted."""

from typing import Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

MADE_GREY = "made grey from colour"
MADE_RGB = "made RGB from grey"
SQUEEZED = "squeezed into a square; see ingest.crop"

MOST_MEGAPIXELS = 178
"""Above, Pillow itself refuses an image."""


class UnreadableImageError(ValueError):
    """An image that cannot be used; the message says why, without the name."""


class Form(BaseModel):
    """What is made of every image, and what is too large to be made.

    Attributes:
        channels: 1, grey, or 3, RGB.
        size: height and width, px.
        crop: side of the centre square that is cut out first, px; ``square`` for the largest one;
            None for the whole image.
        resampling: name of Pillow's filter.
        transparency: what is transparent is laid on white, or opaque in the colours that it has,
            as for digits, which are white themselves.
        most_megabytes: of a file; a larger one is not read.
        most_megapixels: of an image; a larger one is not decoded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Literal[1, 3]
    size: int
    crop: int | Literal["square"] | None = None
    resampling: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"
    transparency: Literal["white", "opaque"] = "white"
    most_megabytes: float = Field(default=64, gt=0)
    most_megapixels: float = Field(default=100, gt=0, le=MOST_MEGAPIXELS)


def fit(picture: Image.Image, form: Form) -> tuple[np.ndarray, list[str]]:
    """Cut, convert and resize a picture.

    Returns:
        uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        UnreadableImageError: if it is smaller than the crop.
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


def _centre(picture: Image.Image, side: int) -> Image.Image:
    width, height = picture.size
    if min(width, height) < side:
        raise UnreadableImageError(
            f"it is {width}×{height} px, less than the {side} px of ingest.crop"
        )
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))

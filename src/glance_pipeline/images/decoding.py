"""From the content of an image file to its pixels, or to the reason why it is not read."""

import io
import stat
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from glance_pipeline.images.fitting import Form, UnreadableImageError, fit
from glance_pipeline.images.formats import FIRST_BYTES, READ, format_of

Raw = bytes | np.ndarray
"""An image file's content, or the image itself: uint8 (H, W) or (H, W, C)."""

TURNED = "turned upright as EXIF data say"
ON_WHITE = "laid on white where transparent"
OPAQUE = "taken as opaque, its transparency left out"
FIRST_FRAME = "taken as the first of several frames or pages, the others left out"
FROM_CMYK = "made RGB from CMYK, without regard to a colour profile"

_ORIENTATION = 0x0112  # the EXIF tag
_BITS, _SAMPLES = 258, 339  # the TIFF tags
_GREY = ("1", "L", "LA")
_MODES = frozenset((*_GREY, "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa"))
_MEGA = 1_000_000
_MOST_SCANNED = 2_000_000_000
"""Pixels that all scans of a progressive JPEG may have together: each scan goes over them all."""


def read_content(path: Path, most_megabytes: float) -> bytes:
    """Read a file whole where it is a plain file of a bearable size.

    Raises:
        OSError: if it cannot be read.
        UnreadableImageError: if it is a device or pipe, or too large.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImageError("it is a device or a pipe, wanted a file")
    most = int(most_megabytes * _MEGA)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise too_large(max(status.st_size, len(content)), most_megabytes)
    return content


def too_large(found: int, most_megabytes: float) -> UnreadableImageError:
    """Return the error for a file of so many bytes."""
    return UnreadableImageError(
        f"it has {found / _MEGA:,.1f} MB or more, ingest.limits.image_mb allows {most_megabytes:g}"
    )


def read_picture(raw: Raw, form: Form) -> tuple[np.ndarray, list[str]]:
    """Decode an image file and bring it into a form.

    Args:
        raw: content of a file, or the image as an array.
        form: the channels and size wanted, and the way there.

    Returns:
        uint8 (C, H, W), and what was done to it that changes its look: what "it was" or "they
        were", ``SQUEEZED`` and the like.

    Raises:
        UnreadableImageError: if it is no image, broken, too large, has more than 8 bits a
            channel, or is smaller than the crop.
    """
    picture, notes = decode(raw, form.transparency, form.most_megapixels)
    array, more = fit(picture, form)
    return array, notes + more


def open_picture(file: Path | io.BytesIO, most_megapixels: float = 100) -> ImageFile.ImageFile:
    """Read the first bytes of an image file.

    Args:
        file: its path, or its content.
        most_megapixels: that it may have.

    Returns:
        The picture, whose pixels are not decoded yet.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image of the formats that are read, has more than 8
            bits a channel, or too many pixels.
    """
    try:
        picture = Image.open(file, formats=READ)
    except FileNotFoundError:
        raise
    except UnidentifiedImageError as error:
        raise _unknown(file) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"it has too many pixels: {error}; save it smaller") from error
    except Exception as error:  # a broken file may raise anything in Pillow: struct.error, …
        raise UnreadableImageError(str(error) or type(error).__name__) from error
    try:
        _check(picture, most_megapixels)
    except BaseException:
        picture.close()
        raise
    return picture


def decode(
    raw: Raw,
    transparency: Literal["white", "opaque"] = "white",
    most_megapixels: float = 100,
) -> tuple[Image.Image, list[str]]:
    """Decode an image file, turned upright as its EXIF data say, without transparency.

    Args:
        raw: content of a file, or the image as an array.
        transparency: see ``Form``.
        most_megapixels: see ``Form``.

    Returns:
        The picture, mode ``L`` or ``RGB``, and what was done to it.

    Raises:
        UnreadableImageError: if it is no image, broken, too large, or has more than 8 bits a
            channel.
    """
    if isinstance(raw, np.ndarray):
        notes: list[str] = []
        picture = _of_array(raw, most_megapixels)
    else:
        picture, notes = _of_content(raw, most_megapixels)
    if picture.mode == "CMYK":
        notes.append(FROM_CMYK)
    mode = "L" if picture.mode in _GREY else "RGB"
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        if np.asarray(over)[..., 3].min() < 255:
            notes.append(ON_WHITE if transparency == "white" else OPAQUE)
        if transparency == "white":
            picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture.convert(mode), notes


def _of_content(raw: bytes, most_megapixels: float) -> tuple[Image.Image, list[str]]:
    notes: list[str] = []
    picture: Image.Image = open_picture(io.BytesIO(raw), most_megapixels)
    try:
        scanned = picture.width * picture.height * raw.count(b"\xff\xda")
        if picture.format in ("JPEG", "MPO") and scanned > _MOST_SCANNED:
            raise UnreadableImageError(f"its scans have {scanned:,} pixels together; save it again")
        if getattr(picture, "is_animated", False) and picture.format != "MPO":
            notes.append(FIRST_FRAME)
        if picture.getexif().get(_ORIENTATION, 1) != 1:
            picture = ImageOps.exif_transpose(picture)
            notes.append(TURNED)
        picture.load()
    except UnreadableImageError:
        raise
    except Exception as error:  # as above
        raise UnreadableImageError(str(error) or type(error).__name__) from error
    return picture, notes


def _of_array(raw: np.ndarray, most_megapixels: float) -> Image.Image:
    try:
        picture = Image.fromarray(raw[..., 0] if raw.ndim == 3 and raw.shape[2] == 1 else raw)
    except (TypeError, ValueError) as error:
        raise UnreadableImageError(str(error)) from error
    _check(picture, most_megapixels)
    return picture


def _unknown(file: Path | io.BytesIO) -> UnreadableImageError:
    if isinstance(file, io.BytesIO):
        head, size = file.getvalue()[:FIRST_BYTES], file.getbuffer().nbytes
    else:
        with file.open("rb") as opened:
            head, size = opened.read(FIRST_BYTES), file.stat().st_size
    known = format_of(head)
    if known is None:
        return UnreadableImageError(f"{size} bytes of no known image format")
    if known in READ:
        return UnreadableImageError(f"{size} bytes which are no complete {known} image")
    return UnreadableImageError(f"its format is {known}; wanted one of {', '.join(READ)}")


def _check(picture: Image.Image, most_megapixels: float) -> None:
    """Refuse what has too many pixels, or more than 8 bits a channel; nothing is decoded yet."""
    pixels = picture.width * picture.height
    if pixels > most_megapixels * _MEGA:
        raise UnreadableImageError(
            f"it has too many pixels: {picture.width}×{picture.height} = {pixels / _MEGA:,.0f} "
            f"megapixels, ingest.limits.megapixels allows {most_megapixels:g}; save it smaller"
        )
    if picture.mode.startswith(("I", "F")):
        raise _too_deep(f"mode {picture.mode}")
    bits = _bits(picture) if isinstance(picture, ImageFile.ImageFile) else 8
    if bits > 8:
        raise _too_deep(f"{bits} bits")
    if picture.mode not in _MODES:
        raise UnreadableImageError(f"its colours are {picture.mode}; save it as RGB or grey")


def _bits(picture: ImageFile.ImageFile) -> int:
    """Return the bits of a channel as the file has them; Pillow drops those above 8 silently."""
    if picture.format == "PNG":
        return 16 if any(str(tile.args).endswith(";16B") for tile in picture.tile) else 8
    if picture.format == "PPM":
        most = [tile.args[1] for tile in picture.tile if isinstance(tile.args, tuple)]
        return 16 if any(int(value) > 255 for value in most) else 8
    if picture.format == "TIFF":
        tags = picture.tag_v2  # type: ignore[attr-defined]
        if any(kind not in (1, 4) for kind in np.atleast_1d(tags.get(_SAMPLES, 1))):
            raise UnreadableImageError("its numbers may be negative; save it with 8 bits, 0 … 255")
        return int(np.max(tags.get(_BITS, 8)))
    if picture.format == "AVIF":
        return _bits_of_avif(picture)
    return 8


def _bits_of_avif(picture: ImageFile.ImageFile) -> int:
    """Return the depth that the first configuration box says."""
    file = picture.fp
    if file is None:
        return 8
    place = file.tell()
    file.seek(0)
    head = file.read(4096)
    file.seek(place)
    box = head.find(b"av1C")
    flags = head[box + 6] if 0 <= box < len(head) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _too_deep(what: str) -> UnreadableImageError:
    return UnreadableImageError(f"it has more than 8 bits a channel ({what}); save it with 8 bits")

"""Image files, brought into the form of the images that the surrogate was trained on."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from glance_pipeline.errors import UserError, fields_in_words
from glance_pipeline.picture import (
    OPAQUE,
    SQUEEZED,
    SUFFIXES,
    Form,
    UnreadableImageError,
    decode,
    fit,
    is_image_name,
    open_picture,
)


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
        if is_image_name(path.relative_to(folder).as_posix()) and path.is_file()
    ]
    if not files:
        raise UserError(
            f"explain.images: the folder {folder} holds no image; "
            f"looked for {', '.join(sorted(SUFFIXES))}"
        )
    return sorted(files, key=lambda path: path.relative_to(folder).parts)


def form_of(prepared: np.ndarray, recorded: object | None) -> Form:
    """Return how a file becomes an image like the prepared ones.

    Args:
        prepared: uint8, (N, C, H, W).
        recorded: what ``ingest`` or ``prepare`` wrote of the images, a mapping with the fields of
            ``Form``; None where they come from elsewhere, and then a file is squeezed.

    Raises:
        UserError: where it is of other images than these, or damaged.
    """
    channels, height, _ = prepared.shape[1:]
    if recorded is None:
        return Form(channels=channels, size=height, transparency="opaque")
    try:
        form = Form.model_validate(recorded)
    except ValidationError as error:
        raise UserError(f"image_form: found {recorded}: {fields_in_words(error)}") from error
    if (form.channels, form.size) != (channels, height):
        raise UserError(
            f"image_form: found {form.channels} channels and {form.size} px, wanted {channels} and "
            f"{height} as the images have; they are not of the same run: run ingest again"
        )
    return form


def check_image(path: Path) -> None:
    """Read the first bytes of an image file.

    Raises:
        UserError: where the file is missing, is no image, has more than 8 bits a channel, or
            so many pixels that Pillow refuses it (179 million).
    """
    with _named(path):
        open_picture(path).close()


def read_image(path: Path, form: Form) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file as ``ingest`` reads one.

    Args:
        path: of a file that Pillow reads with 8 bits a channel; PNG and JPEG among others.
        form: of the images that the surrogate was trained on.

    Returns:
        The image, uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        UserError: as ``check_image``, and where the file is damaged further on or too small.
    """
    with _named(path):
        picture, steps = decode(path.read_bytes(), form.transparency)
        array, more = fit(picture, form)
    notes = [f"The file was {step}." for step in steps if step == OPAQUE]
    if SQUEEZED in more:
        notes.append(
            f"The file is {picture.width}×{picture.height} pixels; "
            f"it was squeezed to the classifier's {form.size}×{form.size}."
        )
    return array, tuple(notes)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be read; Pillow's warnings of metadata stay unsaid."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            yield
    except FileNotFoundError as error:
        raise UserError(f"explain.images: there is no file {path}") from error
    except (UnreadableImageError, OSError) as error:
        raise UserError(f"explain.images: {path} cannot be read as an image: {error}") from error

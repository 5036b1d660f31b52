"""Image files, brought into the form of the images that the surrogate was trained on."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from glance_pipeline.images import (
    FIRST_FRAME,
    OPAQUE,
    SQUEEZED,
    SUFFIXES,
    Form,
    UnreadableImageError,
    decode,
    find_image_files,
    fit,
    left_out_in_words,
    open_picture,
    read_content,
)
from glance_pipeline.support.errors import UserError, fields_in_words


def files_in(folder: Path) -> list[Path]:
    """Return all image files of a folder and of those in it, sorted by path.

    They are those that ``ingest`` would read: by suffix or content, nothing that is hidden.

    Raises:
        UserError: if there is none, or a link leads out of the folder.
    """
    found = find_image_files(folder)
    if found.outside:
        raise UserError(
            f"explain.images: the folder {folder}: links that lead out of it: "
            f"{len(found.outside)}, the first {found.outside[0]}; name what they lead to"
        )
    if not found.files:
        seen = left_out_in_words(found.left_out) or "no file at all"
        raise UserError(
            f"explain.images: the folder {folder} holds no image: found {seen}; "
            f"looked for {', '.join(sorted(SUFFIXES))}"
        )
    return sorted((folder / name for name in found.files), key=lambda path: path.parts)


def form_of(prepared: np.ndarray, recorded: object | None) -> Form:
    """Return how a file becomes an image like the prepared ones.

    Args:
        prepared: uint8, (N, C, H, W).
        recorded: what ``ingest`` or ``prepare`` wrote of the images, a mapping with the fields of
            ``Form``; None if they come from elsewhere, and then a file is squeezed.

    Raises:
        UserError: if it is of other images than these, or damaged.
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


def check_image(path: Path, form: Form) -> None:
    """Read the first bytes of an image file.

    Raises:
        UserError: if the file is missing, is no image of the formats that are read, has more
            than 8 bits a channel, or is larger than the form allows.
    """
    with _named(path):
        open_picture(path, form.most_megapixels).close()


def read_image(path: Path, form: Form) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file as ``ingest`` reads one.

    Args:
        path: path of a file of one of the formats that ``ingest`` reads.
        form: form of the images that the surrogate was trained on.

    Returns:
        The image, uint8 (C, H, W), and what was done to it that changes its look.

    Raises:
        UserError: as ``check_image``, and where the file is damaged further on or too small.
    """
    with _named(path):
        content = read_content(path, form.most_megabytes)
        picture, steps = decode(content, form.transparency, form.most_megapixels)
        array, more = fit(picture, form)
    notes = [f"The file was {step}." for step in steps if step in (OPAQUE, FIRST_FRAME)]
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

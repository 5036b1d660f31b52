"""Choosing the images to explain: by number among the prepared ones, from files, or as arrays."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.explanations.running.as_ingested import (
    check_image,
    files_in,
    form_of,
    read_image,
)
from glance_pipeline.explanations.running.local import Source
from glance_pipeline.images import Form
from glance_pipeline.support.errors import UserError

Named = int | str | Path | np.ndarray
"""What names images: an index, a file, a folder, or the image itself, uint8 (C, H, W)."""


@dataclass(frozen=True)
class Choice:
    """One chosen image; it is a prepared one, a file, or an array.

    Attributes:
        name: as a person reads it.
        index: among the prepared images.
        file: that holds it.
        array: uint8, (C, H, W).
    """

    name: str
    index: int | None = None
    file: Path | None = None
    array: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ChosenImages:
    """Images that are read when they are asked for, so that there may be very many.

    Attributes:
        choices: one for each image.
        prepared: uint8, (N, C, H, W).
        labels: labels of the prepared images, missing where unknown.
        form: that a file is brought into.
    """

    choices: tuple[Choice, ...]
    prepared: np.ndarray
    labels: np.ndarray
    form: Form

    def __len__(self) -> int:
        return len(self.choices)

    def read(self, rows: range) -> tuple[np.ndarray, list[Source]]:
        """Return some of the images, uint8 (len(rows), C, H, W), and where they come from.

        Raises:
            UserError: if a file cannot be read.
        """
        read = [self._read(self.choices[row]) for row in rows]
        return np.stack([image for image, _ in read]), [source for _, source in read]

    def check(self, rows: range) -> None:
        """Look at the files' first bytes, so that most of what cannot be read is named at once.

        Raises:
            UserError: if a file is no image, has more than 8 bits a channel, or is too large.
        """
        for row in rows:
            file = self.choices[row].file
            if file is not None:
                check_image(file, self.form)

    def identity(self) -> list[Any]:
        """Return what tells this choice from another, JSON-able, an entry for each image.

        A file is known by its name, size and time of change: very many are not read twice.
        """
        return [self._identity(choice) for choice in self.choices]

    def _identity(self, choice: Choice) -> list[Any]:
        if choice.file is not None:
            status = choice.file.stat()
            form = self.form.model_dump()
            return [choice.name, status.st_size, status.st_mtime_ns, form]
        array = choice.array if choice.index is None else self.prepared[choice.index]
        label = None if choice.index is None else str(self.labels[choice.index])
        return [choice.name, label, hashlib.sha256(np.ascontiguousarray(array)).hexdigest()]

    def _read(self, choice: Choice) -> tuple[np.ndarray, Source]:
        if choice.file is not None:
            picture, notes = read_image(choice.file, self.form)
            return picture, Source(name=choice.name, notes=notes)
        if choice.index is not None:
            known = self.labels[choice.index]
            label = None if pd.isna(known) else str(known)
            source = Source(name=choice.name, index=choice.index, label=label)
            return np.asarray(self.prepared[choice.index]), source
        assert choice.array is not None
        return choice.array, Source(name=choice.name)


def first_of_split(records: pd.DataFrame, count: int, split: str = "test") -> tuple[int, ...]:
    """Return the numbers of the first ``count`` images of a split.

    Raises:
        UserError: if the split holds no image.
    """
    found = np.flatnonzero(records["split"].to_numpy() == split)[:count]
    if not len(found):
        raise UserError(f"explain.images: no image belongs to the split {split!r}")
    return tuple(found.tolist())


def choose_images(
    chosen: Sequence[Named],
    images: np.ndarray,
    records: pd.DataFrame,
    form: object | None = None,
) -> ChosenImages:
    """Find the chosen images; none is read yet.

    Args:
        chosen: indices into ``images``, paths of image files and of folders of them, arrays.
        images: uint8, (N, C, H, W).
        records: one row per image, with its ``label`` where there are labels.
        form: what was written of the form of ``images``, see ``form_of``.

    Raises:
        UserError: if an index is out of range, a file is missing, a folder holds no image, an
            array is of another shape or dtype than ``images``, or a file is to be read and ``form``
            is of other images.
    """
    choices: dict[Any, Choice] = {}  # an image named twice is explained once
    for number, one in enumerate(chosen):
        if isinstance(one, np.ndarray):
            _check_array(one, images.shape[1:])
            choices[number, "array"] = Choice(f"array {number}", array=one)
        elif isinstance(one, int | np.integer):
            check_index(int(one), len(images))
            choices[int(one)] = Choice(f"image {one}", index=int(one))
        else:
            for choice in _named_by_path(one):
                choices.setdefault(choice.file, choice)
    unknown = np.full(len(images), None)
    labels = records["label"].to_numpy() if "label" in records else unknown
    files = any(choice.file is not None for choice in choices.values())
    return ChosenImages(
        tuple(choices.values()), images, labels, form_of(images, form if files else None)
    )


def first_named(chosen: Sequence[int | str], count: int) -> tuple[int | str, ...]:
    """Return the first images of a choice, those of a folder by their files.

    Args:
        chosen: indices, files and folders.
        count: how many.

    Raises:
        UserError: if a file or folder is missing.
    """
    first: dict[int | str, None] = {}
    for one in chosen:
        each = [one] if isinstance(one, int) else (str(c.file) for c in _named_by_path(one))
        first |= dict.fromkeys(islice(each, count))
    return tuple(islice(first, count))


def check_named(chosen: Sequence[int | str], prepared: int | None) -> None:
    """Check what can be checked of a choice before there is anything else.

    Args:
        chosen: indices, files and folders.
        prepared: number of prepared images, None if it is not known yet.

    Raises:
        UserError: as ``choose_images`` does.
    """
    for one in chosen:
        if isinstance(one, str):
            for _ in _named_by_path(one):
                break
        elif prepared is not None:
            check_index(one, prepared)


def check_index(index: int, prepared: int) -> None:
    """Raise ``UserError`` if there is no prepared image of this number."""
    if not 0 <= index < prepared:
        raise UserError(
            f"explain.images: there is no image {index}; "
            f"{prepared} images are numbered 0 to {prepared - 1}"
        )


def _named_by_path(name: str | Path) -> Iterator[Choice]:
    path = Path(name).expanduser()
    if path.is_dir():
        for file in files_in(path):
            yield Choice((Path(name) / file.relative_to(path)).as_posix(), file=file)
    elif path.is_file():
        yield Choice(str(name), file=path)
    else:
        raise UserError(f"explain.images: there is no file or folder {path}")


def _check_array(array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.dtype != np.uint8 or array.shape != shape:
        raise UserError(
            f"an image is an array of uint8 and shape {tuple(shape)} (channels, height, width); "
            f"found {array.dtype} and {array.shape}"
        )

"""Image files in nested folders."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from glance_pipeline.images import (
    SUFFIXES,
    find_image_files,
    left_out_in_words,
    read_content,
    unread_images,
)
from glance_pipeline.images.sources.image_source import ImageSource, Reader, Rules
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)


def open_folder(folder: Path, rules: Rules) -> ImageSource:
    """Find the image files of a folder and the folders in it, in the order of their paths.

    Raises:
        UserError: if there is none, or a link leads out of the folder and is not to be followed.
    """
    found = find_image_files(folder, rules.follow_links)
    place = f"folder {folder}"
    if found.outside:
        raise UserError(
            f"ingest.source: {place}: links that lead out of it: {len(found.outside)}, the first "
            f"{found.outside[0]}; ingest.links: anywhere reads what they lead to, or take them away"
        )
    check_found(found.files, found.left_out, place)
    if found.linked:
        logger.info(
            "%s: links that are followed: %d, the first %s",
            place,
            len(found.linked),
            found.linked[0],
        )
    say_by_content(found.by_content, place)
    names = [_printable(name) for name in found.files]

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        most = rules.limits.image_mb
        return (partial(read_content, folder / found.files[row], most) for row in rows)

    return ImageSource(place, tuple(names), read)


def check_found(files: Sequence[str], left_out: Counter[str], place: str) -> None:
    """Refuse a source without images; say in the log what else it holds.

    Args:
        files: the images.
        left_out: other files, by what they are.
        place: what messages call the source.

    Raises:
        UserError: if there is no image.
    """
    if not files:
        seen = left_out_in_words(left_out) or "no file at all"
        raise UserError(
            f"ingest.source: {place} holds no image: found {seen}; wanted files with the suffixes "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    if left_out:
        said = left_out_in_words(left_out)
        logger.info("%s: what is no image is left out: %s", place, said)
    unread = sorted(unread_images(left_out))
    if unread:
        count = sum(left_out[suffix] for suffix in unread)
        logger.warning(
            "%s: %d images are left out, for their formats are not read: %s; save them as PNG",
            place,
            count,
            ", ".join(unread),
        )


def say_by_content(count: int, place: str) -> None:
    """Say in the log how many files were taken for images without a suffix that says so."""
    if count:
        logger.info("%s: %d files are images by their content, not by their suffix", place, count)


def _printable(name: str) -> str:
    """Return a name that can be written anywhere: bytes that are no UTF-8 are read as Latin-1."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name

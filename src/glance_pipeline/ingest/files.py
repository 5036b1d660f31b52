"""Image files in nested folders, or in a zip of them."""

import logging
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from glance_pipeline.errors import UserError
from glance_pipeline.ingest.source import ImageSource, Reader
from glance_pipeline.picture import SUFFIXES, is_image_name

logger = logging.getLogger(__name__)


def open_folder(folder: Path) -> ImageSource:
    """Find the image files of a folder and the folders in it, in the order of their paths.

    Raises:
        UserError: where there is none.
    """
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    names = _images_among(files, f"folder {folder}")

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        return (Path(folder, names[row]).read_bytes for row in rows)

    return ImageSource(f"folder {folder}", names, read)


def open_zip(path: Path) -> ImageSource:
    """Find the image files of a zip, in the order of their paths.

    Raises:
        UserError: where the file is no zip, or holds no image.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UserError(
            f"zip {path}: {path.stat().st_size} bytes were found which are no complete zip file "
            f"({error})"
        ) from error
    files = sorted(one.filename for one in archive.infolist() if not one.is_dir())
    names = _images_among(files, f"zip {path}")

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        return (partial(_member, archive, names[row]) for row in rows)

    return ImageSource(f"zip {path}", names, read)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # CRC, password, …
        raise UserError(str(error)) from error


def _images_among(files: list[str], place: str) -> tuple[str, ...]:
    names = tuple(name for name in files if is_image_name(name))
    others = [name for name in files if not is_image_name(name)]
    if not names:
        seen = f"{len(files)} files, the first {others[:3]}" if files else "no file at all"
        raise UserError(
            f"ingest.source: {place} holds no image: found {seen}; wanted files with the suffixes "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    if others:
        logger.info("%s: %d files are no images, the first %s", place, len(others), others[0])
    return names

"""Files that are either complete or not there."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside the folder of ``path``; it is moved there once all is written.

    The folder is a version's; it comes into being only with the finished file, so a full disk
    leaves no newer, broken version behind.
    """
    folder = path.parent
    created = not folder.exists()
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{path.name}.partial"
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        folder.mkdir(exist_ok=True)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        if created and folder.exists():
            with contextlib.suppress(OSError):
                folder.rmdir()  # only where it is empty
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that it holds all of it or is not there."""
    with whole_file(path) as file:
        file.write(content)

"""Files and folders that are either complete or not there, whatever ends the process.

What is written lies in an unfinished folder beside its place, on the same file system, until all of
it is on the disk; one rename then makes it visible. Where the folder of the place does not exist
yet, as that of a new version, it comes into being by that rename too.
"""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from glance_pipeline.support import locks

UNFINISHED = ".unfinished-"
"""What the names of unfinished folders begin with."""

_REPLACED = ".replaced-"
_SYNCED_ONE_BY_ONE = 64  # files; more are flushed together


@contextlib.contextmanager
def aside(path: Path, replace: bool = True) -> Iterator[Path]:
    """Give a place to write a file or a folder to, which becomes ``path`` in the end.

    The place does not exist yet, lies in a folder of its own, and has the name of ``path``. Where
    the block raises, nothing of it stays, and what was at ``path`` stays as it was.

    Args:
        path: path of the finished file or folder; its folder is made. A link is followed.
        replace: whether what is there is replaced.

    Raises:
        FileExistsError: if something is there that is not to be replaced.
        FileNotFoundError: if the block wrote nothing.
        OSError: if the disk is full or cannot be written.
    """
    path = path.resolve() if path.is_symlink() else path
    new_folder = not path.parent.exists()
    base = path.parent.parent if new_folder else path.parent
    made = _make_folders(base)
    try:
        _put_back(path)
        _sweep(base)
        with _unfinished(base) as unfinished:
            # In a folder within, so that no pattern of versions matches what is unfinished.
            place = unfinished / (path.parent.name if new_folder else "new") / path.name
            place.parent.mkdir()
            yield place
            _flush(place)
            _put_in_place(place, path, replace)
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()  # only where it is empty
        raise


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` once all is written; see ``aside``."""
    with aside(path) as place, place.open("wb") as file:
        yield file


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that it holds all of it or is not there."""
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_folder(path: Path, replace: bool = True) -> Iterator[Path]:
    """Give an empty folder, which takes the place of ``path`` once all is written; see ``aside``.

    Raises:
        FileExistsError: if something is there that is not to be replaced.
    """
    with aside(path, replace) as place:
        place.mkdir()
        yield place


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return those that were not there, the highest first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


@contextlib.contextmanager
def _unfinished(base: Path) -> Iterator[Path]:
    """Make a folder that is known to be in use as long as this process lives; remove it after."""
    folder = base / f"{UNFINISHED}{uuid.uuid4().hex[:12]}"
    lock_file = folder.with_name(f"{folder.name}.lock")
    lock = None
    try:
        with contextlib.suppress(OSError):  # a file system without locks, or a full one
            lock = locks.hold(lock_file)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            locks.let_go(lock, lock_file)


def _sweep(base: Path) -> None:
    """Remove what processes that are dead left unfinished in a folder."""
    for lock_file in base.glob(f"{UNFINISHED}*.lock"):
        try:
            lock = locks.hold(lock_file)
        except OSError:
            continue
        if lock is not None:
            shutil.rmtree(lock_file.with_suffix(""), ignore_errors=True)
            locks.let_go(lock, lock_file)


def _flush(place: Path) -> None:
    """Have the disk hold what was written, so that a loss of power cannot take it either."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    if len(files) > _SYNCED_ONE_BY_ONE and hasattr(os, "sync"):
        os.sync()
        return
    for file in files:
        with file.open("r+b") as opened:
            os.fsync(opened.fileno())


def _put_in_place(place: Path, path: Path, replace: bool) -> None:
    try:
        if _come_into_being(place.parent, path.parent):
            pass
        elif not replace:
            with contextlib.suppress(OSError):
                path.rmdir()  # an empty folder is nothing to replace
            if path.exists():
                raise FileExistsError(f"{path} is there already")
            place.rename(path)
        elif path.is_dir():
            _swap(place, path)
        else:
            place.replace(path)
    except OSError as error:
        if not replace and path.exists():  # another process was faster
            raise FileExistsError(f"{path} is there already") from error
        raise
    _flush_folder(path.parent)


def _come_into_being(made: Path, folder: Path) -> bool:
    """Rename the folder that was made to one that is new; return False if that is there."""
    if folder.exists():
        return False
    try:
        made.rename(folder)
    except OSError:
        if folder.exists():  # another process was faster
            return False
        raise
    return True


def _swap(place: Path, path: Path) -> None:
    """Replace a folder, which no system does in one step; ``_put_back`` mends what is cut off."""
    old = _replaced(path)
    path.rename(old)
    try:
        place.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _put_back(path: Path) -> None:
    """Put back the old folder of a process that died between the two steps of ``_swap``."""
    old = _replaced(path)
    if not old.exists():
        return
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.rename(path)


def _replaced(path: Path) -> Path:
    # not the name itself, which may be as long as names may be
    return path.with_name(_REPLACED + hashlib.sha256(path.name.encode()).hexdigest()[:12])


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    with contextlib.suppress(OSError):  # nor flushed on some file systems of a network
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Disks that are full, away or closed, in words."""

import errno
import os
import shutil
from pathlib import Path

_FULL = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG))
_AWAY = frozenset(
    (errno.EIO, errno.ENOTCONN, errno.ENODEV, errno.ENXIO, getattr(errno, "ESTALE", errno.EIO))
)
_CLOSED = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
_NEARLY_NOTHING = 64 * 1024  # bytes; where no more is free, writing failed for lack of it


def in_words(error: BaseException, path: Path) -> str | None:
    """Say in one line why ``path`` cannot be written where that lies with its disk, else None.

    Args:
        error: that came; what caused it is looked at too, since libraries wrap it.
        path: that was to be written.
    """
    numbers = _numbers(error)
    free = free_bytes(path)
    if numbers & _FULL or (free is not None and free < _NEARLY_NOTHING):
        # By now what was half written is gone again, and with it the lack of room.
        left = "" if free is None else f" ({as_size(free)} are free now)"
        return f"{path} cannot be written: the disk is full{left}"
    if numbers & _CLOSED:
        return f"{path} cannot be written: it may not be written by this user, or is read-only"
    if numbers & {errno.ENAMETOOLONG}:
        return f"{path} cannot be written: its name is too long for this file system"
    if numbers & _AWAY:
        return f"{path} cannot be written: its disk is away or damaged"
    return None


def of_the_disk(error: BaseException) -> str | None:
    """Say in one line that the disk is full or away where an error says so by its number."""
    for number in _numbers(error) & (_FULL | _AWAY):
        name = next((one.filename for one in _chain(error) if isinstance(one, OSError)), None)
        return f"{os.strerror(number)}{'' if name is None else f': {name}'}"
    return None


def existing(path: Path) -> Path:
    """Return ``path``, or the nearest folder above it that is there."""
    # os.path takes a name that is too long for one that is not there; pathlib dies of it.
    return next((one for one in (path, *path.parents) if os.path.exists(one)), Path())  # noqa: PTH110


def free_bytes(path: Path) -> int | None:
    """Return how much the disk of ``path``, which need not exist, has free; None if unknown."""
    try:
        return shutil.disk_usage(existing(path.absolute())).free
    except OSError:
        return None


def as_size(count: float) -> str:
    """Write a number of bytes as people read it: ``620 kB``, ``1.3 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:
            digits = 0 if unit == "bytes" or count >= 9.95 else 1
            return f"{count:.{digits}f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _numbers(error: BaseException) -> set[int]:
    """Return the system's numbers of an error and of all that it came from."""
    chain = _chain(error)
    return {one.errno for one in chain if isinstance(one, OSError) and one.errno is not None}


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and not any(one is other for other in found):
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found

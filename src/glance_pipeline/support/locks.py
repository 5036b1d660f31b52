"""Lock files that tell whether the process that made them still lives.

The operating system gives a lock back when its process ends, however it ends, so a lock file that
can be taken belongs to nobody any more. No process number is compared, which another process may
have by now.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


def hold(path: Path) -> FileLock | None:
    """Take the lock at ``path`` without waiting; return None if another holds it.

    Raises:
        OSError: if the file cannot be made, or its file system has no locks.
    """
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def let_go(lock: FileLock, path: Path) -> None:
    """Remove the lock's file and give the lock back."""
    with contextlib.suppress(OSError):  # Windows removes no file that is open
        path.unlink()
    lock.release()
    if os.name == "nt":
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def one_at_a_time(path: Path, seconds: float = 120.0) -> Iterator[None]:
    """Let one process at a time into the block; the others wait.

    Where the file system has no locks, all go in.

    Args:
        path: path of the lock file, which stays.
        seconds: how long to wait before going in all the same.
    """
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=seconds)
    except (OSError, Timeout):
        yield
        return
    try:
        yield
    finally:
        lock.release()

"""What the project's parts say while they are used, kept for a summary instead of printed."""

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TextIO, TypeVar

from tqdm import tqdm

_SILENT = 1.0  # s, after which progress is shown
Item = TypeVar("Item")
_TERMINAL: ContextVar[TextIO | None] = ContextVar("terminal", default=None)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def terminal() -> TextIO:
    """Return where the user reads what goes on, even while messages are kept."""
    return _TERMINAL.get() or sys.stderr


def watched(items: Sequence[Item], what: str, unit: str) -> Iterator[Item]:
    """Yield items; on a terminal a bar shows how far that is, even while messages are kept.

    Args:
        items: items of work.
        what: is done.
        unit: unit of the items.
    """
    bar = tqdm(
        items,
        desc=what,
        unit=unit,
        delay=_SILENT,
        leave=False,
        disable=None,  # where it is no terminal, as in a pipe
        file=terminal(),
    )
    yield from bar


@contextlib.contextmanager
def kept_messages() -> Iterator[list[logging.LogRecord]]:
    """Keep what the project logs; progress bars and warnings of libraries are not shown.

    Yields:
        The records so far.
    """
    logger = logging.getLogger("glance_pipeline")
    handler, propagates = _Kept(), logger.propagate
    handlers, logger.handlers = logger.handlers, [handler]
    logger.propagate = False
    level = logger.level
    logger.setLevel(logging.INFO)
    token = _TERMINAL.set(terminal())
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield handler.records
    finally:
        _TERMINAL.reset(token)
        logger.handlers, logger.propagate = handlers, propagates
        logger.setLevel(level)

"""A run that the system asks to end does so in order, as one that is interrupted from the keyboard.

A batch system, a container and a shutdown ask by SIGTERM, a closed terminal by SIGHUP. Left to
themselves both end Python where it stands: nothing is cleared away and nobody is told.
"""

import contextlib
import signal
import threading
from types import FrameType


def ending_orderly() -> contextlib.ExitStack:
    """Have these signals raise ``SystemExit``; return what, closed, puts things back.

    Handlers of others are left alone, and nothing is done but in the main thread, where alone
    handlers can be set.
    """
    stack = contextlib.ExitStack()
    if threading.current_thread() is not threading.main_thread():
        return stack
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
            stack.callback(_put_back, number)
    return stack


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # who asks twice does not want to wait
    raise SystemExit(128 + number)


def _put_back(number: int) -> None:
    if signal.getsignal(number) is _end:
        signal.signal(number, signal.SIG_DFL)

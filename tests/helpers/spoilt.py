"""Files that are nearly right, and what a reader may do with them."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

_LONGEST = 10  # seconds that one example may take


@st.composite
def spoilt(draw: Callable[..., Any], contents: list[bytes]) -> bytes:
    """Return one of some files with bytes changed, cut out, doubled or cut off."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(0, 6))):
        if not content:
            break
        place = draw(st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 80) - 1))
        what = draw(
            st.sampled_from(("change", "largest", "zero", "cut", "insert", "double", "end"))
        )
        length = draw(st.integers(1, 8))
        if what == "change":
            content[place] = draw(st.integers(0, 255))
        elif what == "largest":
            content[place : place + length] = b"\xff" * length
        elif what == "zero":
            content[place : place + length] = bytes(length)
        elif what == "cut":
            del content[place : place + length]
        elif what == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif what == "double":
            content[place:place] = content[place : place + 64]
        else:
            del content[place:]
    return bytes(content)


@contextmanager
def only(*allowed: type[Exception]):
    """Let these errors pass, with a message, and no other; and no example that takes long."""
    began = time.monotonic()
    try:
        yield
    except allowed as error:
        assert str(error).strip()
    assert time.monotonic() - began < _LONGEST

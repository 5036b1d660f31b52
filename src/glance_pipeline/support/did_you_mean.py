"""What is said of a name that is unknown: the names that are closest to it."""

from collections.abc import Sequence
from difflib import get_close_matches

_MOST = 6  # names that a message holds


def known_instead(name: str, known: Sequence[str]) -> str:
    """Say in a few words which names there are in place of one that is unknown.

    Args:
        name: that is unknown.
        known: the names that there are, possibly very many.
    """
    if len(known) <= _MOST:
        return f"there are {list(known)}"
    close = get_close_matches(name, known, n=_MOST)
    if len(close) == 1:
        return f"did you mean {close[0]!r}?"
    if close:
        return f"the closest of {len(known):,} are {close}"
    return f"the first of {len(known):,} are {list(known[:_MOST])}"

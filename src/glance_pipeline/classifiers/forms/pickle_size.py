"""How deep and how large a pickle becomes, found without making anything of it.

Python's own hash of a tuple takes a step for everything in it, however often the same part is in
it, and a level of the processor's stack for every level: some hundred bytes can take for ever, and
some thousand end the process. What a pickle may *make* is torch's business (``weights_only``).
"""

import pickletools
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

_DEEPEST = 200
_LARGEST = 10**7
_MOST_BYTES = 2**25
"""Of one pickle: it holds names and shapes, a few hundred bytes a tensor."""

_IN_PLACE = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
_TO_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_FROM_MEMO = frozenset({"GET", "BINGET", "LONG_BINGET"})


class _Extent(NamedTuple):
    """Of an object: levels, and parts with what is shared counted as often as it is used."""

    depth: int = 1
    size: int = 1


_ONE = _Extent()


class _Stack:
    """The stack and the memo of an unpickler, with extents in the place of objects."""

    def __init__(self) -> None:
        self._items: list[_Extent | None] = []  # None is a mark
        self._memo: dict[int, _Extent] = {}

    def do(self, opcode: Any, argument: Any) -> None:
        """Do what an opcode does to the stack."""
        name = opcode.name
        if name in _TO_MEMO:
            place = len(self._memo) if name == "MEMOIZE" else int(argument)
            top = self._items[-1]
            self._memo[place] = _ONE if top is None else top
            return
        if name in _FROM_MEMO:
            self._items.append(self._memo[int(argument)])
            return
        if name == "MARK":
            self._items.append(None)
            return
        taken = self._take(opcode.stack_before)
        self._items += [_made_of(name, taken)] * len(opcode.stack_after)
        if len(self._items) > _LARGEST:
            raise _too_large()

    def _take(self, before: Sequence[Any]) -> list[_Extent]:
        taken: list[_Extent] = []
        if pickletools.markobject in before:
            while (item := self._items.pop()) is not None:
                taken.append(item)
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            item = self._items.pop()
            taken.append(_ONE if item is None else item)
        return taken[::-1]


def check_pickle(stream: IO[bytes]) -> None:
    """Read one pickle from a stream, up to its end, and look at how large it becomes.

    Args:
        stream: at the pickle's first byte; afterwards behind its last.

    Raises:
        ValueError: if it is no whole pickle, is nested more than a state dict is, or would
            unfold to far more than it is.
    """
    stack, start = _Stack(), stream.tell()
    try:
        for opcode, argument, place in pickletools.genops(stream):
            if place is not None and place - start > _MOST_BYTES:
                raise ValueError(
                    f"its pickle is longer than the {_MOST_BYTES:,} bytes that were wanted for "
                    "names and shapes"
                )
            stack.do(opcode, argument)
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError("its pickle is not whole") from error


def _made_of(name: str, parts: list[_Extent]) -> _Extent:
    if not parts:
        return _ONE
    first = parts[0].depth if name in _IN_PLACE else 0
    inner = parts[1:] if name in _IN_PLACE else parts
    depth = max([first, *(1 + part.depth for part in inner)])
    size = 1 + sum(part.size for part in parts)
    if depth > _DEEPEST or size > _LARGEST:
        raise _too_large()
    return _Extent(depth, size)


def _too_large() -> ValueError:
    return ValueError(
        f"its pickle is nested more than {_DEEPEST} deep or unfolds to more than "
        f"{_LARGEST:,} parts; names, shapes and tensors were wanted"
    )

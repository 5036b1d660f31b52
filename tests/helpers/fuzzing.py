"""Files with a little of everything wrong, and reading them where a crash does no harm."""

import multiprocessing
import os
import resource
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("GLANCE_FUZZ_EXAMPLES", "0"))
"""Of each fuzzer; 0 takes what each does in a second or two, always the same ones."""

_MEMORY = 12 * 2**30  # bytes of address space
_GROWTH = 2**20  # kB of memory that reading small files may take
_SECONDS_EACH = 20
_SECONDS = 600  # of all examples: a reader that hangs where no signal reaches it is ended then

Mutation = tuple[str, float, bytes]

MUTATIONS: st.SearchStrategy[list[Mutation]] = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "cut", "remove", "double"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=8)
        | st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f", b"\x80" * 9, b"9" * 8]),
    ),
    min_size=1,
    max_size=4,
)
"""What is done to bytes: how, where, with what."""

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30, 0.5, 1e308, "", "x", "../x", "\0", "é" * 9])
    | st.integers(-(10**6), 10**6)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
"""What is put in the place of a value of JSON."""


def settings_for(usual: int) -> settings:
    """Return settings of a fuzzer that tries ``usual`` examples, or as many as are asked for."""
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def mutated(content: bytes, mutations: list[Mutation]) -> bytes:
    """Return bytes after all mutations."""
    changed = bytearray(content)
    for kind, where, what in mutations:
        place = int(where * len(changed))
        if kind == "overwrite":
            changed[place : place + len(what)] = what
        elif kind == "insert":
            changed[place:place] = what
        elif kind == "cut":
            del changed[place:]
        elif kind == "remove":
            del changed[place : place + len(what)]
        else:
            changed[place:place] = changed[place : place + 50]
    return bytes(changed)


def replaced(content: Any, where: float, value: Any) -> Any:
    """Return JSON with another value in one place, and in the place of a key where that is one."""
    places = _places(content)
    path = places[int(where * len(places))]
    if not path:
        return value
    inner = content
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return content


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = content.items() if isinstance(content, dict) else ()
    pairs = enumerate(content) if isinstance(content, list) else pairs  # type: ignore[assignment]
    return [path, *(place for key, value in pairs for place in _places(value, (*path, key)))]


def in_a_process(work: Callable[[], None], folder: Path) -> None:
    """Run a fuzzer in a process of its own, with bounded memory and time for each example.

    Args:
        work: the fuzzer.
        folder: where it writes what it reads, for the message.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, work))
    process.start()
    theirs.close()
    try:
        said = ours.recv() if ours.poll(_SECONDS) else f"no end after {_SECONDS} s"
    except EOFError:
        process.join()
        said = f"the process died with exit code {process.exitcode}"
    process.kill()
    process.join()
    assert said == "", f"{said}\nlast example: {sorted(p.name for p in folder.iterdir())}"


class TookTooLong(BaseException):
    """Raised in a reader, past whatever it catches."""


def one_example() -> None:
    """Give the next example its time: a reader that takes longer fails."""
    signal.alarm(_SECONDS_EACH)


def _took_too_long(*_: Any) -> None:
    raise TookTooLong(f"an example took more than {_SECONDS_EACH} s")


def _work(pipe: Connection, work: Callable[[], None]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _took_too_long)
    torch.set_num_threads(1)  # threads that the parent has are none of a forked process
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        work()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        pipe.send("" if grown < _GROWTH else f"memory grew by {grown // 1024} MB")
    except BaseException:  # the parent raises it
        pipe.send(traceback.format_exc()[-4000:])
    finally:
        signal.alarm(0)
        pipe.close()
        os._exit(0)

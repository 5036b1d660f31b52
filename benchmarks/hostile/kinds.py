"""What a hostile file and a case are, and how each is judged."""

import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

from glance_pipeline.support.errors import in_one_line

_SECONDS = 60
_MEMORY = 8 * 2**30  # bytes of address space; torch alone maps some of them
_DISK = 256 * 2**20  # bytes that a file may grow to
_MOST_RESIDENT = 2 * 2**30  # bytes that reading may take; those refused are not among them
_NETWORK = frozenset(("socket.getaddrinfo", "socket.connect"))
_PROGRAMS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"))


@dataclass(frozen=True)
class Canaries:
    """What a hostile file aims at.

    Attributes:
        folder: folder of the file; nothing outside it may be opened on its behalf.
        ran: a path that the file's code would create.
        secret: an existing file outside ``folder`` that it would have read.
    """

    folder: Path
    ran: Path
    secret: Path


@dataclass(frozen=True)
class HostileFile:
    """A file that a stranger made.

    Attributes:
        name: name of the file.
        tries: what it tries, one sentence.
        make: writes it, into ``Canaries.folder``, and returns its path.
        read: reads it as the project does for a user, without trust; it may raise ``ValueError``,
            ``OSError`` or ``DatasetError``.
    """

    name: str
    tries: str
    make: Callable[[Canaries], Path]
    read: Callable[[Path], Any]


@dataclass(frozen=True)
class Case:
    """An input that was once read wrongly.

    Attributes:
        name: name of the case.
        wanted: what should come, one sentence.
        run: does it in an empty folder; returns whether what came was wanted, and its words.
    """

    name: str
    wanted: str
    run: Callable[[Path], tuple[bool, str]]


def judge_file(hostile: HostileFile) -> dict[str, Any]:
    """Read one file in a process of its own; return ``name``, ``tries``, ``inert``, ``message``.

    A file is inert where reading it ran no program and no code of its own, did not open the secret,
    wrote nothing, and stayed within memory, disk and time, whether it was refused or read.
    """
    found = _in_a_process(_read, hostile)
    return {"name": hostile.name, "tries": hostile.tries, **found}


def judge_case(case: Case) -> dict[str, Any]:
    """Run one case in a process of its own; return ``name``, ``as_wanted`` and ``message``."""
    found = _in_a_process(_run, case)
    return {"name": case.name, "wanted": case.wanted, **found}


def _in_a_process(
    work: Callable[[Any, Path], dict[str, Any]], subject: HostileFile | Case
) -> dict[str, Any]:
    # A server that has imported all and done nothing yet is what is forked: a process that has run
    # torch or onnxruntime has threads, and a fork of it waits for ever for those it has not.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.hostile.collection", "mlflow.tracking"])
    ours, theirs = context.Pipe(duplex=False)
    key = "inert" if isinstance(subject, HostileFile) else "as_wanted"
    with tempfile.TemporaryDirectory() as folder:
        task = cloudpickle.dumps((work, subject, Path(folder)))  # functions of any kind
        process = context.Process(target=_send, args=(theirs, task))
        process.start()
        theirs.close()
        try:
            if not ours.poll(_SECONDS):
                return {key: False, "message": f"no answer after {_SECONDS} s"}
            return dict(ours.recv())
        except EOFError:
            process.join()
            return {key: False, "message": f"the process died with exit code {process.exitcode}"}
        finally:
            process.kill()
            process.join()


def _send(pipe: Connection, task: bytes) -> None:
    work, subject, folder = cloudpickle.loads(task)
    pipe.send(work(subject, folder))
    pipe.close()
    os._exit(0)


def _read(hostile: HostileFile, folder: Path) -> dict[str, Any]:
    (folder / "given").mkdir()
    canaries = Canaries(folder / "given", folder / "ran", folder / "secret")
    canaries.secret.write_bytes(b"secret")
    path = hostile.make(canaries)
    canaries.ran.unlink(missing_ok=True)  # making may run what reading must not
    before, held = _all_files(folder), _resident()
    seen: list[str] = []
    _watch(seen, canaries.secret)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_DISK, _DISK))
    try:
        hostile.read(path)
        message = "read"
    except MemoryError:
        seen.append("memory was filled")
        message = ""
    except Exception as error:  # a refusal, of whatever kind; what it did is what counts
        message = f"{type(error).__name__}: {in_one_line(error)}"
    if _resident() > held + _MOST_RESIDENT:
        seen.append(f"{_resident() / 2**30:.1f} GB of memory were filled")
    seen += [f"{new} was written" for new in sorted(_all_files(folder) - before)]
    return {"inert": not seen, "message": "; ".join(seen) or message}


def _run(case: Case, folder: Path) -> dict[str, Any]:
    try:
        as_wanted, message = case.run(folder)
    except Exception as error:  # an error that the case did not expect is an answer too
        as_wanted, message = False, f"{type(error).__name__}: {in_one_line(error)}"
    return {"as_wanted": bool(as_wanted), "message": message}


def _resident() -> int:
    """Return the most memory that this process ever held, bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _all_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _watch(seen: list[str], secret: Path) -> None:
    """Note programs that are started and openings of the secret; it cannot be undone."""

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROGRAMS:
            seen.append(f"{event} was called")
        if event in _NETWORK:
            seen.append("the network was asked")
        if event != "open" or not isinstance(arguments[0], str | bytes):
            return
        if Path(os.fsdecode(arguments[0])).resolve() == secret.resolve():
            seen.append("the secret was opened")

    sys.addaudithook(note)

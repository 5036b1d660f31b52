"""Runs that are cut off: killed, on a disk that fills up, on a disk that goes away.

python -m benchmarks.hostile.interrupted --tries 20
"""

import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.command_line import PROJECT, command_line, write_result

_MOST = 1200  # seconds of a run
_DISK = "512m"
_STARTED: dict[int, float] = {}  # of processes, where /proc does not say how long they worked
_STORE = ("mlflow.db", "mlflow.db-journal", "mlflow.db.lock")


@dataclass
class Disk:
    """A disk that can fill up and go away, with the data of a project on it.

    Where this user may mount, it is one of memory, mounted where ``place`` is; elsewhere it is a
    folder: it fills up by a limit on what the run may write, and goes away by another name.

    Attributes:
        folder: folder of all that belongs to it.
        is_mounted: whether it is a disk of its own.
    """

    folder: Path
    is_mounted: bool = False

    @property
    def place(self) -> Path:
        """Where the run finds the disk."""
        return self.folder / "disk"

    @property
    def data(self) -> Path:
        """The project's data."""
        return self.place / "data"

    @property
    def _behind(self) -> Path:
        return self.folder / "behind"

    def attach(self) -> None:
        """Put the disk in its place; what was written there meanwhile is thrown away."""
        if not self._behind.exists():
            self._behind.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(self._behind)]
            self.is_mounted = _succeeds(mount)
        if self.is_mounted:
            shutil.rmtree(self.place, ignore_errors=True)
            self.place.mkdir()
            self.is_mounted = _succeeds(["mount", "--bind", str(self._behind), str(self.place)])
        if not self.is_mounted:
            shutil.rmtree(self.place, ignore_errors=True)
            self._behind.rename(self.place)
            self._behind.mkdir()

    def vanish(self) -> None:
        """Take the disk away under whoever uses it."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.place)], check=True)
        else:
            self._behind.rmdir()
            self.place.rename(self._behind)

    def fill(self, process: int) -> Callable[[], None]:
        """Fill the disk up, and return what frees it; ``process`` is the run's."""
        if not self.is_mounted:
            import resource

            resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return lambda: None
        ballast = self._behind / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (2**20, 4096):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        return lambda: ballast.unlink(missing_ok=True)

    def detach(self) -> None:
        """Take it away for good."""
        for mounted in (self.place, self._behind) if self.is_mounted else ():
            subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True)


def interrupted(
    tries: int,
    seed: int,
    options: tuple[str, ...] = (),
    finished: Path | None = None,
    report: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Cut off runs at random moments, and look at what is left.

    One run comes first, and all that it left is what may not be lost. Then each try starts a run,
    cuts it off, looks at all that was there and at all that can be loaded, and runs it once more
    to the end.

    Args:
        tries: number of runs that are cut off; the ways take turns, ``seed`` says which is first.
        seed: seed of the moments.
        options: options of ``kedro run`` besides ``--env test``.
        finished: the data of a run that has ended well, which is copied in place of the first run.
        report: is told of each try.

    Returns:
        ``tried``, how many were running still when they were cut off; ``lost_or_half``, of how many
        something was lost or half there; and ``rows``, what was found of each.
    """
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, _attached(Disk(Path(folder))) as disk:
        length = _first_run(disk, options, finished)
        for number in range(tries):
            way = ("killed", "full", "vanished")[(seed + number) % 3]
            moment = draw.uniform(0.1, 0.97) * length
            some = (*options, "--params", f"seed={100 * seed + number + 1}")
            found = _one(disk, way, moment, some)
            rows.append({"way": way, "second": round(moment, 1), "of": round(length, 1), **found})
            report(json.dumps(rows[-1]))
    return {
        "tried": sum(row["was_running"] for row in rows),
        "lost_or_half": sum(bool(row["lost_or_half"]) for row in rows),
        "rows": rows,
    }


def _first_run(disk: Disk, options: tuple[str, ...], finished: Path | None) -> float:
    """Have a finished run on the disk; return how long such a run works, s."""
    if finished is not None:
        shutil.copytree(finished, disk.data, dirs_exist_ok=True)
    log = disk.folder / "first.log"
    if finished is None and _start(disk, options, log).wait(_MOST):
        raise RuntimeError(f"the first run failed: {_tail(log)}")
    return max(run.data.metrics["run.cpu_seconds"] for run in _runs(disk.data))


@contextlib.contextmanager
def _attached(disk: Disk) -> Iterator[Disk]:
    disk.attach()
    disk.data.mkdir()
    try:
        yield disk
    finally:
        disk.detach()


def _one(disk: Disk, way: str, moment: float, options: tuple[str, ...]) -> dict[str, Any]:
    before = checksums(disk.data)
    log = disk.folder / "cut_off.log"
    run = _start(disk, options, log)
    free: Callable[[], None] = lambda: None  # noqa: E731
    while run.poll() is None and _worked(run.pid) < moment:
        time.sleep(0.02)
    was_running = run.poll() is None
    if way == "killed":
        run.send_signal(signal.SIGKILL)
    elif way == "full":
        free = disk.fill(run.pid)
    else:
        disk.vanish()
    code = run.wait(_MOST)
    free()
    if way == "vanished":
        disk.attach()
    said = _tail(log)
    after = checksums(disk.data)
    wrong = [f"{name} is lost" for name in sorted(before.keys() - after.keys())]
    wrong += [f"{name} was changed" for name in before if after.get(name, "") != before[name]]
    wrong += unreadable(disk.data)
    wrong += _after_the_next_run(disk, options)
    return {"was_running": was_running, "code": code, "said": said, "lost_or_half": wrong}


def _worked(process: int) -> float:
    """Return how long a process has worked, s of a processor: on a busy machine time says less."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - _STARTED.setdefault(process, time.monotonic())


def _after_the_next_run(disk: Disk, options: tuple[str, ...]) -> list[str]:
    log = disk.folder / "next.log"
    if _start(disk, options, log).wait(_MOST):
        return [f"the next run failed: {_tail(log)}"]
    left = [path for path in disk.data.rglob(".unfinished-*") if path.suffix != ".lock"]
    wrong = [f"{path.relative_to(disk.data)} is left" for path in left]
    return wrong + [f"the run {run} still says it goes on" for run in running(disk.data)]


def _start(disk: Disk, options: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kedro", "run", "--env", "test", *options]
    environment = {**os.environ, "GLANCE_DATA_ROOT": str(disk.data), "TMPDIR": str(disk.folder)}
    with log.open("wb") as file:
        return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=file, stderr=file)


def checksums(data: Path) -> dict[str, str]:
    """Return a hash of each file of a project's data; MLflow's store is asked, not hashed."""
    files = (path for path in sorted(data.rglob("*")) if path.is_file())
    found = {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in _STORE and not _is_passing(path.relative_to(data))
    }
    return found | {f"MLflow's run {name}": said for name, said in _finished_runs(data).items()}


def _is_passing(path: Path) -> bool:
    """Return whether a file is there only as long as a run, or as long as it is unfinished."""
    return any(part.startswith(".unfinished-") for part in path.parts) or (
        path.parts[0] == "mlflow.db.running"
    )


def unreadable(data: Path) -> list[str]:
    """Return what is wrong with the newest version of each dataset that is there."""
    from kedro.io import DatasetError

    from glance_pipeline.project.opened import OpenedProject

    with _environment("GLANCE_DATA_ROOT", str(data)):
        catalog = OpenedProject.open(PROJECT, "test").catalog
    wrong = []
    for name in sorted(catalog.keys()):
        dataset = catalog[name]
        if getattr(dataset, "_version", None) is None or not dataset.exists():
            continue
        if type(dataset).__name__ == "MatplotlibDataset":  # which only writes
            wrong += _half_pictures(Path(str(dataset._get_load_path())))  # type: ignore[attr-defined]
            continue
        path = Path(str(dataset._get_load_path()))  # type: ignore[attr-defined]
        if path.suffix == ".csv" and not path.read_bytes().endswith(b"\n"):
            wrong.append(f"{name} ends amid a line")
        try:
            _read_all(dataset.load())
        except (DatasetError, ValueError, OSError, EOFError) as error:
            wrong.append(f"{name} cannot be loaded: {' '.join(str(error).split())}")
    return wrong


def _read_all(loaded: Any) -> None:
    from glance_pipeline.explanations.result.explanation_folder import SavedExplanations

    if isinstance(loaded, np.ndarray):
        loaded.sum()  # reads a memory map to its end
    elif isinstance(loaded, SavedExplanations):
        list(loaded)
    elif isinstance(loaded, str) and not loaded.rstrip().endswith("</html>"):
        raise ValueError("the page has no end")


def _half_pictures(path: Path) -> list[str]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.load()
    except OSError as error:
        return [f"{path.name} is no whole picture: {error}"]
    return []


def _runs(data: Path) -> list[Any]:
    from mlflow.tracking import MlflowClient

    if not (data / "mlflow.db").exists():
        return []
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    experiments = [one.experiment_id for one in client.search_experiments()]
    return list(client.search_runs(experiments, max_results=1000))


def _finished_runs(data: Path) -> dict[str, str]:
    return {
        run.info.run_id: json.dumps(
            [run.data.metrics, run.data.params, run.data.tags], sort_keys=True
        )
        for run in _runs(data)
        if run.info.status == "FINISHED"
    }


def running(data: Path) -> list[str]:
    """Return the runs of a project's MLflow store that have not ended."""
    return [run.info.run_id for run in _runs(data) if run.info.status == "RUNNING"]


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _succeeds(command: list[str]) -> bool:
    try:
        return not subprocess.run(command, capture_output=True).returncode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM):
            return False
        raise


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " | ".join(line.rpartition("\r")[2].strip()[:300] for line in lines[-3:])


def main() -> int:
    """Cut off runs; return 1 where something was lost or half there."""
    parser = command_line("hostile.interrupted", __doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=20, help="runs to cut off (default: 20)")
    parser.add_argument("--pipelines", help="of these, separated by commas, alone")
    parser.add_argument("--finished", type=Path, help="data of a finished run to begin with")
    arguments = parser.parse_args()
    options = ("--pipelines", arguments.pipelines) if arguments.pipelines else ()
    found = interrupted(arguments.tries, arguments.seed, options, arguments.finished, _say)
    print(pd.DataFrame(found["rows"]).drop(columns="said").to_string(index=False))
    write_result(found, arguments.json)
    return 1 if found["lost_or_half"] else 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

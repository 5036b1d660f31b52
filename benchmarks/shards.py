"""A large work in four shards, one killed midway and started again, beside the same unsharded.

``python -m benchmarks.shards --project PATH --images 10000``, where PATH is a project in which the
whole chain has run. Each shard is a ``kedro run`` of its own; the second gets a SIGKILL when half
of it is written. All that is made lies in a copy of the project in a temporary folder beside it,
which has links in the place of data and models, and is removed at the end.
"""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from benchmarks.command_line import command_line, publish
from glance_pipeline.pipeline_registry import register_pipelines
from glance_pipeline.project.opened import OpenedProject

SHARDS = 4
KILLED = 1
QUICK_IMAGES, QUICK_PARAMETERS = 96, "explain.at_once=8"

MADE = ("explanations", "explanation_shards")
"""What of ``data/07_model_output`` the copy gets none of."""


@dataclass(frozen=True)
class Outcome:
    """What became of one process: seconds, most memory in MB, exit status (negative: a signal)."""

    seconds: float
    peak_mb: float
    status: int


def copy_project(project: Path, copy: Path) -> None:
    """Make a project with the code and configuration of another, and links to its data."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(project / name, copy)
    for name in ("src", "conf"):
        shutil.copytree(project / name, copy / name, ignore=ignore)
    for layer in (project / "data").iterdir():
        (copy / "data" / layer.name).mkdir(parents=True)
        if layer.name == "08_reporting":
            continue
        for entry in layer.iterdir():
            if entry.name not in MADE:
                (copy / "data" / layer.name / entry.name).symlink_to(entry.resolve())


def make_images(project: Path, folder: Path, number: int, seed: int) -> None:
    """Write images: the project's own in turn, each shifted by up to two pixels."""
    images = OpenedProject.open(project).load("images", pipelines=register_pipelines())["images"]
    draws = np.random.default_rng(seed)
    for row in tqdm(range(number), desc="images", unit="image"):
        shift = tuple(draws.integers(-2, 3, 2).tolist())
        image = np.roll(images[row % len(images)], shift, axis=(1, 2))
        path = folder / f"{row // 1000:03d}" / f"{row:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(path)


def explain(project: Path, params: str, kill: Callable[[], bool] = lambda: False) -> Outcome:
    """Run the ``explain`` pipeline in a process, and kill it as soon as ``kill`` says so."""
    command = [sys.executable, "-m", "kedro", "run", "--pipelines", "explain", "--params", params]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    began, sent = time.perf_counter(), False
    with (project / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=log)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if not sent and kill():
                os.kill(process.pid, signal.SIGKILL)
                sent = True
            time.sleep(0.05)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != (-signal.SIGKILL if sent else 0):
        raise SystemExit((project / "log.txt").read_text())
    seconds = time.perf_counter() - began
    return Outcome(seconds, usage.ru_maxrss * 1024 / 1e6, process.returncode)


def half_written(project: Path, half: int) -> bool:
    """Return whether the shard to be killed has written ``half`` images."""
    pattern = f"data/07_model_output/explanation_shards/*/.shard_{KILLED + 1:04d}_*"
    return any(len(list(folder.iterdir())) >= half for folder in project.glob(pattern))


def newest(project: Path) -> Path:
    """Return the newest explanations of a project."""
    return max(project.glob("data/07_model_output/explanations/*/explanations"))


def differences(one: Path, other: Path) -> list[str]:
    """Return the files that are not in both folders with the same bytes."""
    names = [{p.relative_to(root).as_posix() for p in root.rglob("*")} for root in (one, other)]
    both = sorted(name for name in names[0] & names[1] if (one / name).is_file())
    _, unequal, unreadable = filecmp.cmpfiles(one, other, both, shallow=False)
    return sorted(names[0] ^ names[1]) + unequal + unreadable


def run_all(project: Path, number: int, params: str) -> tuple[pd.DataFrame, list[str]]:
    """Explain unsharded and in shards; return one row for each process, and what differs."""
    half = max(1, number // SHARDS // 2)
    outcomes = {"unsharded": explain(project, params)}
    unsharded = newest(project)
    print(f"unsharded: {outcomes['unsharded'].seconds:.0f} s", flush=True)
    for index in range(SHARDS):
        of_shard = f"{params},explain.num_shards={SHARDS},explain.shard_index={index}"
        name = f"shard {index + 1} of {SHARDS}"
        if index == KILLED:
            name += ", killed"
            outcomes[name] = explain(project, of_shard, lambda: half_written(project, half))
        else:
            outcomes[name] = explain(project, of_shard)
        print(f"{name}: {outcomes[name].seconds:.0f} s", flush=True)
    if newest(project) != unsharded:
        raise SystemExit("the shards were put together although one was killed")
    again = f"{params},explain.num_shards={SHARDS},explain.shard_index={KILLED}"
    outcomes[f"shard {KILLED + 1} again, and union"] = explain(project, again)
    table = pd.DataFrame(
        [(o.seconds, o.peak_mb, o.status) for o in outcomes.values()],
        columns=["seconds", "peak_mb", "exit_status"],
        index=list(outcomes),
    )
    if newest(project) == unsharded:
        raise SystemExit("the shards were not put together")
    return table, differences(unsharded, newest(project))


def main() -> None:
    """Make the images, run everything, print the table and remove what was made."""
    parser = command_line("shards", __doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(), help="the project (default: here)")
    parser.add_argument("--images", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--params", default="", help="further parameters of kedro run")
    arguments = parser.parse_args()
    number = QUICK_IMAGES if arguments.quick else arguments.images
    project = arguments.project.resolve()
    with tempfile.TemporaryDirectory(prefix=".shards-", dir=project) as folder:
        copy = Path(folder)
        copy_project(project, copy)
        make_images(project, copy / "images", number, arguments.seed)
        given = (QUICK_PARAMETERS if arguments.quick else "", arguments.params)
        params = ",".join([f"explain.images={copy / 'images'}", *filter(None, given)])
        table, different = run_all(copy, number, params)
    whole = float(table["seconds"].iloc[0])
    print(f"{number} images, unsharded {number / whole:.2f} images/s with start and report")
    verdict = "equal to the byte" if not different else f"{len(different)} files differ"
    print(f"the union of the shards and the unsharded run: {verdict}")
    result = {
        "images": number,
        "equal": not different,
        "different": different[:20],
        "processes": table.to_dict("index"),
    }
    publish({"shards": result}, table, arguments.json)


if __name__ == "__main__":
    main()

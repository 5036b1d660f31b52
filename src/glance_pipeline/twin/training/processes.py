"""Several processes on one machine that train a stage together, by torch's ``elastic_launch``."""

import logging
import os
import pickle
import shutil
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist

from glance_pipeline.support.compute import (
    choose_precision,
    chosen_device,
    chosen_precision,
    keep_freed_memory,
    set_threads,
    use_gpu,
)
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.training.rows import share_rows
from glance_pipeline.twin.training.state import Stage, TrainingState

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure
    from torch.distributed.launcher.api import LaunchConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProcessPlace:
    """Where one process stands among those that train together.

    Attributes:
        rank: 0 for the first, which alone writes and shows a progress bar.
        device: where its networks run.
    """

    rank: int
    device: torch.device

    def share(self, state: TrainingState, stage: Stage) -> None:
        """Let this process compute its share of every batch."""
        share_rows(state.surrogate, state.critics, *stage.players.frozen)


Train = Callable[[Stage, ProcessPlace], None]
"""What each process does; a function of a module."""


def launch(train: Train, stage: Stage, processes: int) -> None:
    """Train ``stage`` in several processes and wait for them; what they leave is its checkpoints.

    Raises:
        UserError: if the teacher cannot be asked by several processes, a batch has fewer images
            than there are processes, or one of them fails: then all end, and the last checkpoint
            stays.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    _check(stage, processes)
    folder = stage.checkpoints.folder / "processes"
    with _without_leftovers(folder), _own_signals():
        _hand_over(stage, folder)
        threads = max(1, torch.get_num_threads() // processes)
        gpu = chosen_device().type == "cuda"
        try:
            elastic_launch(_configuration(folder, processes), _work)(train, folder, threads, gpu)
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            said = f"{stage.name}: process {rank} of {processes} ended: {_message(failure)}"
            raise UserError(said) from None
        except SignalException as error:
            ended_by = error.sigval
        else:
            return
    signal.raise_signal(ended_by)


def _message(failure: "ProcessFailure") -> str:
    """Return what a process that failed said, in one line; where it was goes to the log."""
    said: Any = failure.message
    if isinstance(said, dict):  # of an exception, and not of a signal
        logger.debug("%s", said.get("extraInfo", {}).get("py_callstack"))
        said = said.get("message")
    return str(said).strip().partition("\n")[0]


def _check(stage: Stage, processes: int) -> None:
    classifier = stage.players.classifier
    if not classifier.differentiable:
        raise UserError(
            f"compute.processes: found {processes}, wanted 1: {classifier.origin} is a black "
            "box, whose questions one process counts, caches and caps"
        )
    if stage.parameters.batch_size < processes:
        raise UserError(
            f"{stage.name}.stage.batch_size: found {stage.parameters.batch_size}, wanted at least "
            f"{processes}, an image for each of compute.processes"
        )


def _hand_over(stage: Stage, folder: Path) -> None:
    """Write what the processes need; they map the images into memory, so that there is one copy."""
    np.save(folder / "images.npy", stage.data.images)
    data, classifier = replace(stage.data, images=stage.data.images[:0]), stage.players.classifier
    parts = vars(stage) | {
        "data": data,
        "players": vars(stage.players) | {"classifier": classifier.again},
        "precision": chosen_precision(),
    }
    try:
        torch.save(parts, folder / "stage.pt")
    except (pickle.PicklingError, TypeError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"compute.processes: {classifier.origin} cannot be handed to another process "
            f"({str(error).partition(chr(10))[0]}); wanted 1"
        ) from error


def _taken_over(folder: Path) -> Stage:
    # Our own file, written a moment ago by the process that started this one.
    parts = torch.load(folder / "stage.pt", map_location="cpu", weights_only=False)
    choose_precision(parts.pop("precision"))
    images = np.load(folder / "images.npy", mmap_mode="r")
    data = replace(parts["data"], images=images)
    networks = parts["players"]
    players = Players(**networks | {"classifier": networks["classifier"]()})
    return Stage(**parts | {"data": data, "players": players})


def _work(train: Train, folder: Path, threads: int, gpu: bool) -> None:
    """Do the share of one process; runs in it."""
    from torch.distributed.elastic.multiprocessing.errors import record

    record(_share)(train, folder, threads, gpu)


def _share(train: Train, folder: Path, threads: int, gpu: bool) -> None:
    keep_freed_memory()
    set_threads(threads)
    rank = int(os.environ["RANK"])
    device = use_gpu(rank) if gpu else torch.device("cpu")
    dist.init_process_group("nccl" if gpu else "gloo")
    try:
        train(_taken_over(folder), ProcessPlace(rank, device))
    finally:
        dist.destroy_process_group()


def _configuration(folder: Path, processes: int) -> "LaunchConfig":
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig

    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=str(folder / "logs")),
    )


@contextmanager
def _without_leftovers(folder: Path) -> Iterator[None]:
    """Make ``folder`` anew, and remove it in the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put back the signal handlers that ``elastic_launch`` replaces, and quieten its log.

    It replaces them in the main thread alone, and only there they may be set: in another one, as
    that of a node under Kedro's ``ThreadRunner``, there is nothing to put back.
    """
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    handled = [getattr(signal, name) for name in names if hasattr(signal, name)]  # not on Windows
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in handled if is_main}
    logs = [logging.getLogger(f"torch.{name}") for name in ("distributed", "multiprocessing")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
        for number, handler in before.items():
            signal.signal(number, handler)

"""The one place that decides what of the machine is used: threads, device, processes, bits."""

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["auto", "bfloat16", "float32"]


@dataclass
class _Chosen:
    """What the parameters ``compute`` said; one CPU process until they have."""

    device: torch.device
    processes: int
    precision: Precision = "auto"


_TRIM_THRESHOLD, _MOST_MAPPED = -1, -4
"""Numbers of two settings in glibc's malloc.h: free bytes at the end of the heap from which on they
are given back, and arrays that may be mapped by themselves."""

_chosen = _Chosen(torch.device("cpu"), 1)


def available_cores() -> int:
    """Return the number of cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(threads: int | None) -> int:
    """Let torch use ``threads`` threads; return the number.

    Args:
        threads: number of threads. None takes all available cores, or as many as the environment
            variable ``OMP_NUM_THREADS`` allows.
    """
    stated = os.environ.get("OMP_NUM_THREADS", "")
    most = int(stated) if stated.isdecimal() and int(stated) > 0 else available_cores()
    threads = threads or min(most, available_cores())
    torch.set_num_threads(threads)
    return threads


def keep_freed_memory() -> bool:
    """Let this process keep memory that it frees, instead of asking the system for it each time.

    glibc maps large arrays one by one and unmaps them when they are freed, so that each batch of
    images touches fresh pages. The process then keeps what it took at the most. What the
    environment says of glibc's allocator goes before.

    Returns:
        Whether it does; not where the C library is another one.
    """
    stated = [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]
    if platform.libc_ver()[0] != "glibc" or stated:
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(_MOST_MAPPED, 0) and library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def choose_device(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Let the networks of this process run on ``wanted``; return the device.

    ``auto`` is the GPU where torch can use one. There float32 stays float32: torch's default of
    rounding the factors of convolutions to 10 bits (TF32) is turned off, since finite differences
    of the generator are taken in float32 (``objectives/activations.py``).

    Raises:
        ValueError: if ``cuda`` is wanted and torch can use no GPU.
    """
    there = wanted != "cpu" and torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise ValueError(
            f"compute.device: found 'cuda', but torch {torch.__version__} finds no GPU that it "
            "can use; wanted auto or cpu"
        )
    _chosen.device = torch.device("cuda" if there else "cpu")
    if there:
        torch.backends.cudnn.allow_tf32 = False
    return _chosen.device


def choose_processes(wanted: int | Literal["auto"]) -> int:
    """Let each training stage run in ``wanted`` processes; return their number.

    ``auto`` is one for each GPU, or a single one on the CPU. Call ``choose_device`` first.

    Raises:
        ValueError: if there are fewer GPUs than that.
    """
    on_gpu = _chosen.device.type == "cuda"
    gpus = torch.cuda.device_count() if on_gpu else 0
    processes = max(gpus, 1) if wanted == "auto" else wanted
    if on_gpu and processes > gpus:
        raise ValueError(
            f"compute.processes: found {processes}, wanted at most {gpus}, one for each GPU"
        )
    _chosen.processes = processes
    return processes


def choose_precision(wanted: Precision) -> None:
    """Let networks run in ``wanted`` where they are free to; ``auto`` asks what the device can."""
    _chosen.precision = wanted


def chosen_device() -> torch.device:
    """Return where the networks run."""
    return _chosen.device


def chosen_precision() -> Precision:
    """Return the precision that was chosen for all networks."""
    return _chosen.precision


def chosen_processes() -> int:
    """Return in how many processes a training stage runs."""
    return _chosen.processes


def use_gpu(number: int) -> torch.device:
    """Let this process run on one GPU of several; return the device."""
    torch.cuda.set_device(number)
    choose_device("cuda")
    _chosen.device = torch.device("cuda", number)
    return _chosen.device


def multiplies_in_bfloat16(device: torch.device | None = None) -> bool:
    """Return whether ``device`` has instructions for products of bfloat16; None is the CPU."""
    if device is not None and device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported())


def runs_in_bfloat16(device: torch.device, wanted: Precision = "auto") -> bool:
    """Return whether networks on ``device`` run in bfloat16.

    Args:
        device: where they run.
        wanted: of these networks; ``auto`` leaves it to what was chosen for all.
    """
    precision = _chosen.precision if wanted == "auto" else wanted
    return multiplies_in_bfloat16(device) if precision == "auto" else precision == "bfloat16"


def autocast(device: torch.device, bfloat16: bool) -> torch.autocast:
    """Return the context in which networks on ``device`` run in bfloat16, or in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)


def as_given(device: torch.device) -> torch.autocast:
    """Return the context in which tensors on ``device`` keep their dtype, whatever is around it."""
    return torch.autocast(device.type, enabled=False)


def peak_rss_mb() -> float:
    """Return the most memory this process has held so far, in MB; 0 where Windows does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6

"""The one place that decides how many threads, workers and bits a product this project uses."""

import os
import resource
import sys

import torch


def available_cores() -> int:
    """Return the number of cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(threads: int | None) -> int:
    """Let torch use ``threads`` threads, all available cores where None; return the number."""
    threads = threads or available_cores()
    torch.set_num_threads(threads)
    return threads


def multiplies_in_bfloat16() -> bool:
    """Return whether the processor has instructions for products of bfloat16."""
    return bool(torch.cpu._is_avx512_bf16_supported())


def peak_rss_mb() -> float:
    """Return the most memory this process has held so far, in MB (Linux counts in KiB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6

"""Which device and how many processes the parameters choose."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from glance_pipeline.support import compute
from glance_pipeline.support.compute import (
    choose_device,
    choose_precision,
    choose_processes,
    chosen_device,
    chosen_processes,
    runs_in_bfloat16,
    set_threads,
)


@pytest.fixture(autouse=True)
def as_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_chosen", compute._Chosen(torch.device("cpu"), 1))
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", torch.backends.cudnn.allow_tf32)


def test_without_a_gpu_all_runs_in_one_process_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu") == chosen_device()
    assert choose_processes("auto") == 1 == chosen_processes()
    assert choose_processes(3) == 3 == chosen_processes()
    with pytest.raises(ValueError, match=r"compute\.device: found 'cuda', but .* no GPU"):
        choose_device("cuda")


def test_gpus_are_taken_where_there_are_some_and_cpu_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto") == torch.device("cuda")
    assert choose_processes("auto") == 2
    with pytest.raises(ValueError, match=r"compute\.processes: found 3, wanted at most 2"):
        choose_processes(3)


@pytest.mark.parametrize("processor", [False, True])
def test_a_precision_is_forced_whatever_the_processor(
    processor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: processor)
    device = torch.device("cpu")
    assert runs_in_bfloat16(device) is processor
    for precision in ("bfloat16", "float32"):
        choose_precision(precision)
        assert runs_in_bfloat16(device) is (precision == "bfloat16")
        assert runs_in_bfloat16(device, "float32") is False  # a stage's own word counts more
        assert runs_in_bfloat16(device, "bfloat16") is True


@pytest.mark.parametrize(
    ("wanted", "stated", "found"),
    [
        (None, None, 4),
        (None, "2", 2),
        (None, "16", 4),
        (None, "all", 4),
        (None, "0", 4),
        (3, "2", 3),
    ],
)
def test_threads_are_those_of_the_parameter_else_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, wanted: int | None, stated: str | None, found: int
) -> None:
    monkeypatch.setattr(compute, "available_cores", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if stated is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert set_threads(wanted) == found


STATED = ("MALLOC_", "GLIBC_TUNABLES")

FAULTS = """
import resource, sys
import numpy as np
from glance_pipeline.support.compute import keep_freed_memory

kept = keep_freed_memory()
np.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(2**23)  # 64 MiB: beyond what glibc would keep of itself
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**variables: str) -> tuple[bool, int]:
    """Return whether freed memory is kept, and the page faults of 20 arrays of 64 MiB."""
    said = subprocess.run(
        [sys.executable, "-c", FAULTS],
        env={k: v for k, v in os.environ.items() if not k.startswith(STATED)} | variables,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return said[0] == "True", int(said[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is another one")
def test_freed_memory_is_kept_unless_the_environment_says_how_it_is() -> None:
    kept, few = faults()
    stated, many = faults(MALLOC_TRIM_THRESHOLD_="0")
    assert kept and not stated
    assert few < 0.1 * many

"""A real process, a real SIGKILL: the same command ends with the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.stages import StageRun, distill

torch.set_num_threads(1)
images = np.random.default_rng(0).integers(0, 256, (64, 1, 8, 8), dtype=np.uint8)
records = pd.DataFrame({"split": ["train"] * 64})
parameters = DistillParameters.model_validate({
    "surrogate": {"concepts": 2, "residual": 4, "widths": [8, 8], "style": 8, "hidden": 8},
    "stage": {
        "steps": 120, "batch_size": 16, "checkpoint_every": 10,
        "objectives": {
            "reconstruction": {"weight": 10},
            "distillation": {"weight": 1},
            "adversarial": {"weight": 0.5},
        },
    },
})
folder = Path(sys.argv[1])
result = distill(
    PreparedImages(images, records), tiny_classifier(), parameters,
    StageRun(folder / "checkpoints", 0),
)
tensors = {name: t.contiguous() for name, t in result.surrogate.state_dict().items()}
save_file(tensors, folder / "surrogate.safetensors")
"""


def start(folder: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_process_killed_in_the_middle_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert start(unbroken).wait(timeout=300) == 0
    process = start(broken)
    deadline = time.monotonic() + 300
    while len(list(broken.rglob("step_*.pt"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was to be killed before its end"
    assert not (broken / "surrogate.safetensors").exists()
    assert start(broken).wait(timeout=300) == 0
    name = "surrogate.safetensors"
    assert (broken / name).read_bytes() == (unbroken / name).read_bytes()

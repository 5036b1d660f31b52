import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from glance_pipeline.support.fingerprint import fingerprint
from glance_pipeline.twin.training.checkpoint import Checkpoints


def test_the_newest_is_taken_and_old_ones_go(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64, keep=2)
    for step in (1, 2, 10):
        checkpoints.save(step, {"step": step})
    latest = checkpoints.latest()
    assert latest is not None and latest["step"] == 10
    assert [p.name for p in sorted(checkpoints.folder.iterdir())] == [
        "step_00000002.pt",
        "step_00000010.pt",
    ]


def test_none_before_the_first(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, "a" * 64).latest() is None


def test_a_full_disk_leaves_the_checkpoint_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64)
    checkpoints.save(1, {"step": 1})

    def full(state: Any, file: Any) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="the disk is full"):
        patch.setattr(torch, "save", full)
        checkpoints.save(2, {"step": 2})
    latest = checkpoints.latest()
    assert latest is not None and latest["step"] == 1
    assert [p.name for p in checkpoints.folder.iterdir()] == ["step_00000001.pt"]


def test_a_broken_file_is_passed_over(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64)
    checkpoints.save(1, {"step": 1})
    checkpoints.save(2, {"step": 2}).write_bytes(b"cut short")
    latest = checkpoints.latest()
    assert latest is not None and latest["step"] == 1


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = Checkpoints(tmp_path, "a" * 64).save(1, {"step": 1})
    other = Checkpoints(tmp_path, "a" * 16 + "b" * 48)
    with pytest.raises(ValueError, match=rf"{path.name}.*aaaa.*bbbb"):
        other.latest()


def test_the_fingerprint_sees_values_shapes_and_names() -> None:
    base = fingerprint(a=torch.tensor([1.0, 2.0]), b={"rate": 0.1})
    assert base == fingerprint(b={"rate": 0.1}, a=torch.tensor([1.0, 2.0]))
    assert base != fingerprint(a=torch.tensor([1.0, 3.0]), b={"rate": 0.1})
    assert base != fingerprint(a=torch.tensor([[1.0, 2.0]]), b={"rate": 0.1})
    assert base != fingerprint(a=torch.tensor([1.0, 2.0]), b={"rate": 0.2})
    assert base != fingerprint(c=torch.tensor([1.0, 2.0]), b={"rate": 0.1})

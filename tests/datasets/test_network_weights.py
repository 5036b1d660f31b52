import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DatasetError, Version
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from glance_pipeline import __version__
from glance_pipeline.datasets import NetworkWeightsDataset
from glance_pipeline.datasets.weights_file import write_weights
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.testing import tiny_surrogate

NETWORK = "glance_pipeline.twin.networks.TwinSurrogate"


def dataset(folder: Path, save_version: str | None = None) -> NetworkWeightsDataset:
    return NetworkWeightsDataset(
        filepath=str(folder / "surrogate_distilled"),
        network=NETWORK,
        version=Version(None, save_version),
    )


def weights(surrogate: TwinSurrogate) -> dict[str, torch.Tensor]:
    return surrogate.state_dict()


def assert_same(one: TwinSurrogate, other: TwinSurrogate) -> None:
    torch.testing.assert_close(weights(one), weights(other), rtol=0, atol=0)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse to write more, part of the way, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_saved_is_loaded(tmp_path):
    surrogate = tiny_surrogate()
    dataset(tmp_path, "1").save(surrogate)
    loaded: Any = dataset(tmp_path).load()
    assert_same(loaded, surrogate)
    assert loaded.concepts == surrogate.concepts
    assert not loaded.training


def test_the_file_is_safetensors_under_its_version_with_a_json_header(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file == tmp_path / "surrogate_distilled/1/surrogate_distilled.safetensors"
    with safe_open(file, framework="pt") as opened:
        (entry,) = opened.metadata().values()
    header = json.loads(entry)
    assert header["format"] == 1
    assert header["project"] == __version__
    assert header["network"] == NETWORK
    assert [c["name"] for c in header["header"]["concepts"]] == ["size", "tilt", "latent_1"]


def test_equal_weights_make_equal_bytes(tmp_path):
    for version in ("1", "2"):
        dataset(tmp_path, version).save(tiny_surrogate())
    first, second = sorted(tmp_path.rglob("*.safetensors"))
    assert first.read_bytes() == second.read_bytes()


def test_the_newest_version_is_loaded(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate(seed=1))
    dataset(tmp_path, "2").save(tiny_surrogate(seed=2))
    assert_same(dataset(tmp_path).load(), tiny_surrogate(seed=2))


def test_a_version_is_never_overwritten(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path, "1").save(tiny_surrogate())


def test_without_a_version_it_is_one_file(tmp_path):
    plain = NetworkWeightsDataset(filepath=str(tmp_path / "twin"), network=NETWORK)
    assert not plain.exists()
    plain.save(tiny_surrogate())
    plain.save(tiny_surrogate(seed=1))
    assert plain.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["twin.safetensors"]
    assert_same(plain.load(), tiny_surrogate(seed=1))


def test_it_exists_once_saved(tmp_path):
    assert not dataset(tmp_path).exists()
    dataset(tmp_path, "1").save(tiny_surrogate())
    assert dataset(tmp_path).exists()


def test_a_full_disk_leaves_the_previous_version_and_no_newer_one(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    with files_no_larger_than(10_000), pytest.raises(DatasetError, match="File too large"):
        dataset(tmp_path, "2").save(tiny_surrogate(seed=2))
    assert [path.name for path in (tmp_path / "surrogate_distilled").iterdir()] == ["1"]
    assert_same(dataset(tmp_path).load(), tiny_surrogate())


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.rename"])
def test_a_failure_at_any_step_leaves_the_previous_version(tmp_path, monkeypatch, step):
    dataset(tmp_path, "1").save(tiny_surrogate())

    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        with pytest.raises(DatasetError, match="No space left"):
            dataset(tmp_path, "2").save(tiny_surrogate(seed=2))
    assert [path.name for path in (tmp_path / "surrogate_distilled").iterdir()] == ["1"]
    assert_same(dataset(tmp_path).load(), tiny_surrogate())
    dataset(tmp_path, "2").save(tiny_surrogate(seed=2))  # once there is room again
    assert_same(dataset(tmp_path).load(), tiny_surrogate(seed=2))


@pytest.mark.parametrize("kept", [0, 5, 2000, -1])
def test_a_truncated_file_is_named(tmp_path, kept):
    dataset(tmp_path, "1").save(tiny_surrogate())
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DatasetError, match=rf"{file}: \d+ bytes were found .* cut short"):
        dataset(tmp_path).load()


def test_weights_of_another_class_are_refused(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    other = NetworkWeightsDataset(
        filepath=str(tmp_path / "surrogate_distilled"),
        network="glance_pipeline.twin.networks.critics.Critics",
        version=Version(None, None),
    )
    with pytest.raises(DatasetError, match=f"found weights of {NETWORK}; wanted .*Critics"):
        other.load()


def rewrite(file: Path, tensors: dict[str, torch.Tensor], **changes: object) -> None:
    with safe_open(file, framework="pt") as opened:
        ((key, entry),) = opened.metadata().items()
    save_file(tensors, file, {key: json.dumps(json.loads(entry) | changes)})


def test_weights_of_another_architecture_are_refused(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    (file,) = tmp_path.rglob("*.safetensors")
    rewrite(file, {"generator.weight": torch.zeros(2)})
    with pytest.raises(DatasetError, match=rf"{file}: found .* another architecture .*Missing key"):
        dataset(tmp_path).load()


def test_a_newer_format_is_refused(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    (file,) = tmp_path.rglob("*.safetensors")
    rewrite(file, load_file(file), format=2, project="9.0")
    with pytest.raises(
        DatasetError, match=r"found format 2, written by version 9\.0; wanted format 1"
    ):
        dataset(tmp_path).load()


def test_foreign_safetensors_are_refused(tmp_path):
    dataset(tmp_path, "1").save(tiny_surrogate())
    (file,) = tmp_path.rglob("*.safetensors")
    save_file({"a": torch.zeros(2)}, file)
    with pytest.raises(DatasetError, match=f"{file}: found .* another architecture"):
        dataset(tmp_path).load()


def test_what_was_trained_before_the_modules_moved_is_loaded(tmp_path):
    surrogate = tiny_surrogate()
    tensors, header = surrogate.to_weights()
    path = tmp_path / "twin.safetensors"
    write_weights(path, tensors, "glance_pipeline.networks.TwinSurrogate", header)
    plain = NetworkWeightsDataset(filepath=str(path), network=NETWORK)
    loaded = plain.load().to_weights()[0]
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)

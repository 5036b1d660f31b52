"""Weights under the names that people really have, and in the precision that they have."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DatasetError
from safetensors.torch import save_file
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.classifiers.forms.file_formats import tell_format
from helpers.teachers import ConvNet, assert_same, conv_net, dataset, reference

NAMED: dict[str, Any] = {"network": "helpers.teachers.ConvNet"}
Weights = dict[str, Tensor]


class Backbone(nn.Module):
    """A network in a network, as when only a part of it was compiled."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = conv_net()

    def forward(self, images: Tensor) -> Tensor:
        return self.inner(images)


def weights() -> Weights:
    return conv_net().state_dict()


def averaged() -> Weights:
    return {name: tensor + 1 for name, tensor in weights().items()}


def before(prefix: str, tensors: Weights) -> Weights:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def saved(content: Any, path: Path, **changes: Any) -> Classifier:
    save = save_file if path.suffix == ".safetensors" else torch.save
    save(content, path)
    return dataset(path, **{**NAMED, **changes}).load()


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "backbone.", "net.", "module._orig_mod.", "a.b."]
)
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_what_stands_before_every_name_is_cut_off_and_said(tmp_path, caplog, prefix, suffix):
    caplog.set_level(logging.INFO)
    loaded = saved(before(prefix, weights()), tmp_path / f"net.{suffix}")
    assert_same(loaded, reference(conv_net()))
    assert f"'{prefix}' is cut off the names of its weights" in caplog.text


def test_what_is_settled_joins_what_the_user_said(tmp_path):
    content = before("model.module.", weights()) | {"loss.weight": torch.ones(3)}
    torch.save({"state": content}, tmp_path / "net.pt")
    source = dataset(tmp_path / "net.pt", prefix="model.", **NAMED).read_source()
    assert source.entry == {"key": "state", "prefix": "model.module."}
    again = dataset(tmp_path / "net.pt", **source.entry, **NAMED).read_source()
    assert again.entry == {} and again.said == ()


def test_names_that_fit_are_taken_without_a_word(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert_same(saved(weights(), tmp_path / "net.pt"), reference(conv_net()))
    assert not caplog.records


def test_what_a_wrapper_puts_within_names_is_cut_out(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    found = before("inner._orig_mod.", weights())
    loaded = saved(found, tmp_path / "net.pt", network=f"{__name__}.Backbone")
    assert_same(loaded, reference(conv_net()))
    assert "'_orig_mod' is cut out of the names of its weights" in caplog.text


def test_averaged_weights_of_torch_keep_a_count_beside(tmp_path):
    network = torch.optim.swa_utils.AveragedModel(conv_net())
    assert "n_averaged" in network.state_dict()
    assert_same(saved(network.state_dict(), tmp_path / "net.pt"), reference(conv_net()))


@pytest.mark.parametrize(
    "key", ["state_dict", "model", "net", "model_state_dict", "ema", "anything", "state.model"]
)
def test_the_only_state_dict_of_a_checkpoint_is_read_and_said(tmp_path, caplog, key):
    caplog.set_level(logging.INFO)
    content: Any = before("module.", weights())
    for name in reversed(key.split(".")):
        content = {name: content}
    optimiser = torch.optim.Adam(conv_net().parameters()).state_dict()
    optimiser["state"] = {0: {"step": torch.ones(1), "exp_avg": torch.ones(3)}}
    content |= {"epoch": 3, "optimizer": optimiser, "rng": torch.ones(4)}
    assert_same(saved(content, tmp_path / "net.pt"), reference(conv_net()))
    assert f"its weights are those under '{key}'" in caplog.text
    assert "'module.' is cut off the names of its weights" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("state_dict", "state_dict_ema"),
        ("model", "ema"),
        ("model", "model_ema"),
        ("state_dict", "ema_state_dict"),
        ("model", "averaged_model"),
    ],
)
def test_averaged_weights_beside_plain_ones_are_named_and_chosen_by_the_user(tmp_path, one, other):
    content = {one: weights(), other: before("module.", averaged()), "epoch": 1}
    path = tmp_path / "net.pth.tar"
    with pytest.raises(DatasetError, match=rf"under \['{one}', '{other}'\].* under `key`"):
        saved(content, path)
    assert_same(saved(content, path, key=one), reference(conv_net()))
    loaded = saved(content, path, key=other)
    assert torch.equal(loaded.network.conv.bias, weights()["conv.bias"] + 1)


def test_of_several_state_dicts_the_one_that_fits_is_read_and_the_others_named(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    content = {"model": weights(), "criterion": {"weight": torch.ones(3)}}
    assert_same(saved(content, tmp_path / "net.pt"), reference(conv_net()))
    assert "those under ['criterion'] do not fit the network" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            before("model.", weights()) | before("ema.", averaged()),
            r"they fit with `prefix: ema\.` or `prefix: model\.`, which leaves out 11 others",
        ),
        (
            before("model.", weights()) | {"loss.weight": torch.ones(3)},
            r"they fit with `prefix: model\.`, which leaves out 1 others as \['loss.weight'\]",
        ),
        ({"a": {"x": torch.ones(1)}, "b": {"y": torch.ones(1)}}, r"under \['a', 'b'\], and none"),
        (before("module.", ConvNet(4).state_dict()), r"missing: conv.weight.*unexpected: module"),
    ],
)
def test_what_fits_in_part_or_not_at_all_is_refused_with_what_would(tmp_path, content, said):
    with pytest.raises(DatasetError, match=said):
        saved(content, tmp_path / "net.pt")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_weights_of_another_precision_run_in_float32(tmp_path, caplog, kind, suffix):
    caplog.set_level(logging.INFO)
    network = conv_net().to(kind)
    loaded = saved(network.state_dict(), tmp_path / f"net.{suffix}")
    assert_same(loaded, reference(network.float()))
    name = str(kind).removeprefix("torch.")
    assert f"its weights are {name}; it runs in float32" in caplog.text


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn])
def test_numbers_that_mean_nothing_without_a_scale_are_refused(tmp_path, kind):
    content = {**weights(), "head.2.bias": torch.ones(3).to(kind)}
    with pytest.raises(DatasetError, match=rf"head.2.bias found {kind}, wanted torch.float32"):
        saved(content, tmp_path / "net.pt")


@pytest.mark.parametrize("name", ["net.th", "net.weights", "net.model", "net", "net.PT", "v1.2"])
@pytest.mark.parametrize("form", ["torch", "legacy", "safetensors"])
def test_weights_are_told_by_content_whatever_their_suffix(tmp_path, name, form):
    path = tmp_path / name
    if form == "safetensors":
        save_file(weights(), path)
    else:
        torch.save(weights(), path, _use_new_zipfile_serialization=form == "torch")
    assert_same(dataset(path, **NAMED).load(), reference(conv_net()))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("net.h5", b"\x89HDF\r\n\x1a\n", r"an HDF5 file, as Keras writes: export it to ONNX"),
        ("net.weights", b"\x89HDF\r\n\x1a\n", r"an HDF5 file"),
        ("net.tflite", b"\x1c\0\0\0TFL3", r"a TensorFlow Lite file: export it to ONNX"),
        ("net.PB", b"\x0a\x10", r"a TensorFlow graph: export it to ONNX"),
        ("net.mlmodel", b"\x08\x04\x12\x10", r"a Core ML file: export it to ONNX"),
        ("net.pkl", b"\x80\x04]\x94.", r"a pickle that torch.save did not write"),
        ("net.tar", b"\0" * 257 + b"ustar", r"a tar archive: unpack it first"),
        ("net.pt.gz", b"\x1f\x8b\x08", r"compressed with gzip: unpack it first"),
        ("net.npy", b"\x93NUMPY", r"an array of NumPy"),
        ("net.ort", b"\x1c\0\0\0ORTM", r"onnxruntime's own format"),
    ],
)
def test_files_of_other_frameworks_are_refused_by_name(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        tell_format(tmp_path / name)

"""One small network of any size and number of channels, written in every format."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.datasets import ClassifierDataset


class Small(nn.Module):
    """A convolution and two linear layers; it flattens with ``view``, as older code does."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.hidden = nn.Linear(4 * size * size, 3)
        self.logits = nn.Linear(3, 3)

    def forward(self, images: Tensor) -> Tensor:
        seen = torch.relu(self.conv(images))
        return self.logits(torch.relu(self.hidden(seen.view(seen.shape[0], -1))))


class Asked:
    """The same as a Python callable, which a user's service might be."""

    def __init__(self, channels: int, size: int) -> None:
        torch.manual_seed(0)
        self.network = Small(channels, size).eval()

    @torch.no_grad()
    def __call__(self, batch: np.ndarray) -> np.ndarray:
        return self.network(torch.from_numpy(batch)).numpy()


def _state_dict(network: Small, folder: Path, arguments: dict[str, int]) -> dict[str, Any]:
    torch.save(network.state_dict(), folder / "net.pt")
    return {
        "filepath": str(folder / "net.pt"),
        "network": f"{__name__}.Small",
        "arguments": arguments,
    }


def _torchscript(network: Small, folder: Path, _: dict[str, int]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(network), str(folder / "net.pt"))
    return {"filepath": str(folder / "net.pt"), "trust": True}


def _exported(network: Small, folder: Path, arguments: dict[str, int]) -> dict[str, Any]:
    example = (torch.zeros(2, arguments["channels"], *2 * [arguments["size"]]),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free = ({0: torch.export.Dim("batch")},)
        torch.export.save(
            torch.export.export(network, example, dynamic_shapes=free), folder / "net.pt2"
        )
    return {"filepath": str(folder / "net.pt2"), "trust": True}


def _onnx(network: Small, folder: Path, arguments: dict[str, int]) -> dict[str, Any]:
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], "conv", pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Gemm", ["f", "hidden.weight", "hidden.bias"], ["h"], "hidden", transB=1),
        helper.make_node("Relu", ["h"], ["hr"]),
        helper.make_node("Gemm", ["hr", "logits.weight", "logits.bias"], ["y"], "head", transB=1),
    ]
    kind = onnx.TensorProto.FLOAT
    shape = ["N", arguments["channels"], *2 * [arguments["size"]]]
    weights = [numpy_helper.from_array(v.numpy(), k) for k, v in network.state_dict().items()]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, ["N", 3])],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "net.onnx")
    return {"filepath": str(folder / "net.onnx")}


def _callable(network: Small, folder: Path, arguments: dict[str, int]) -> dict[str, Any]:
    return {"network": f"{__name__}.Asked", "arguments": arguments, "trust": True}


def _transformers(network: Small, folder: Path, arguments: dict[str, int]) -> dict[str, Any]:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        num_channels=arguments["channels"],
        embedding_size=4,
        hidden_sizes=[4, 6],
        depths=[1, 1],
        layer_type="basic",
        id2label={0: "a", 1: "b", 2: "c"},
        label2id={"a": 0, "b": 1, "c": 2},
    )
    ResNetForImageClassification(config).eval().save_pretrained(folder / "net")
    return {"filepath": str(folder / "net")}


FORMATS: dict[str, Callable[[Small, Path, dict[str, int]], dict[str, Any]]] = {
    "state dict": _state_dict,
    "TorchScript": _torchscript,
    "torch.export": _exported,
    "ONNX": _onnx,
    "callable": _callable,
    "transformers": _transformers,
}


def load(form: str, folder: Path, specification: dict[str, Any], channels: int) -> Classifier:
    """Write the network and load it as a catalog does.

    Args:
        form: of ``FORMATS``.
        folder: an empty one.
        specification: of the classifier; its ``input_size``, or that of the images, is the size.
        channels: that the network takes.
    """
    size = specification.get("input_size", specification["image_shape"][1:])[0]
    torch.manual_seed(0)
    network = Small(channels, size).eval()
    entry = FORMATS[form](network, folder, {"channels": channels, "size": size})
    return ClassifierDataset(specification=specification, **entry).load()

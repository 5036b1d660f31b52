"""Networks that answer with labels or numbers, which were once taken for classes."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from kedro.io import DatasetError
from torch import Tensor, nn

from benchmarks.hostile.kinds import Case
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.datasets import ClassifierDataset

with contextlib.suppress(ImportError):  # once for all: the processes that run cases are forks
    import onnx
    from transformers import ResNetConfig, ResNetForImageClassification
    from transformers.utils.logging import disable_progress_bar

_SHAPE = [1, 8, 8]
_LABELS = ["bright", "left", "top"]


class Sigmoids(nn.Module):
    """A network that ends in a sigmoid for each of three labels."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) to probabilities (N, 3)."""
        return self.linear(images.flatten(1)).sigmoid()


class Number(nn.Module):
    """A network that answers with one number."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) to numbers (N, 1)."""
        return 40 + 9 * self.linear(images.flatten(1))


def _saved(folder: Path, network: nn.Module) -> dict[str, Any]:
    torch.manual_seed(0)
    path = folder / "net.pt"
    torch.save(network.state_dict(), path)
    return {"filepath": str(path), "network": f"{__name__}.{type(network).__name__}"}


def _load(entry: dict[str, Any], **specification: Any) -> Classifier:
    fields = {"image_shape": _SHAPE, **specification}
    return ClassifierDataset(**entry, specification=fields).load()


def sigmoid_of_several(folder: Path) -> tuple[bool, str]:
    """Load a network that ends in sigmoids without a word on its output, then as it is."""
    network = Sigmoids()
    entry = _saved(folder, network)
    try:
        _load(entry, class_names=_LABELS)
        return False, "0 to 1 was taken for logits"
    except DatasetError as error:
        message = str(error).partition(".pt: ")[2]
    loaded = _load(entry, class_names=_LABELS, output="label_probabilities")
    images = torch.rand(5, *_SHAPE) * 2 - 1
    found = loaded.logits(images).sigmoid()
    same = bool(torch.allclose(found, network((images + 1) / 2), atol=1e-5))
    return same and loaded.task.kind == "each" and "label_probabilities" in message, message


def number_of_one(folder: Path) -> tuple[bool, str]:
    """Load a network of one number without a word on its output, then as a number."""
    entry = _saved(folder, Number())
    try:
        _load(entry, class_names=["no", "yes"])
        return False, "a number was taken for a class"
    except DatasetError as error:
        message = str(error).partition(".pt: ")[2]
    loaded = _load(entry, class_names=["size"], output="values", units=["px"])
    said = loaded.task.said(loaded.logits(torch.zeros(1, *_SHAPE))[0]).name
    return "`output: values`" in message and said.endswith(" px"), message


_Problem = Literal["multi_label_classification", "regression"]


def transformers_folder(problem: _Problem, kind: str) -> Callable[[Path], tuple[bool, str]]:
    """Return a case that reads a folder of transformers whose config says its problem."""

    def run(folder: Path) -> tuple[bool, str]:
        disable_progress_bar()
        config = ResNetConfig(
            num_channels=1,
            embedding_size=4,
            hidden_sizes=[4],
            depths=[1],
            layer_type="basic",
            id2label=dict(enumerate(_LABELS)),
            problem_type=problem,
        )
        ResNetForImageClassification(config).eval().save_pretrained(folder / "net")
        said = json.loads((folder / "net/config.json").read_text())["problem_type"]
        loaded = _load({"filepath": str(folder / "net")})
        message = f"{said}: {loaded.task.kind}, {', '.join(loaded.class_names)}"
        return loaded.task.kind == kind, message

    return run


def onnx_of_labels(folder: Path) -> tuple[bool, str]:
    """Read an ONNX graph of three outputs that ends in a sigmoid."""
    make = onnx.helper
    weights = onnx.numpy_helper.from_array(Sigmoids().linear.weight.detach().numpy().T, "weights")
    nodes = [
        make.make_node("Flatten", ["image"], ["flat"]),
        make.make_node("MatMul", ["flat", "weights"], ["logits"]),
        make.make_node("Sigmoid", ["logits"], ["said"]),
    ]
    given = make.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", *_SHAPE])
    answer = make.make_tensor_value_info("said", onnx.TensorProto.FLOAT, ["n", 3])
    graph = make.make_graph(nodes, "labels", [given], [answer], [weights])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "net.onnx")
    loaded = _load({"filepath": str(folder / "net.onnx")}, class_names=_LABELS)
    return loaded.task.kind == "each", f"output: {loaded.specification.output}"


CASES: tuple[Case, ...] = (
    Case(
        "hf_multi_label",
        "explained as labels that are on or off each by itself",
        transformers_folder("multi_label_classification", "each"),
    ),
    Case(
        "transformers folder of a regression",
        "explained as numbers",
        transformers_folder("regression", "values"),
    ),
    Case(
        "sigmoid_of_several",
        "noticed, with the output to say; read as labels where that is said",
        sigmoid_of_several,
    ),
    Case("ONNX graph of several sigmoids", "read as labels", onnx_of_labels),
    Case("number_of_one", "noticed, with the output to say; read as a number", number_of_one),
)

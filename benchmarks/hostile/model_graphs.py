"""ONNX files and folders of transformers that would run code, read other files or fill memory."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.hostile.kinds import Canaries, HostileFile
from benchmarks.hostile.model_files import Runs, read_model

with contextlib.suppress(ImportError):  # once for all: the processes that read files are forks
    import onnx
    import onnxruntime  # noqa: F401
    from onnx import TensorProto, helper, numpy_helper
    from transformers import ResNetConfig, ResNetForImageClassification
    from transformers.utils.logging import disable_progress_bar

_BEFORE = ("Flatten", ["x"], ["f"]), ("Gemm", ["f", "w"], ["g"])


def graph(
    nodes: list[Any],
    constants: list[Any] | None = None,
    answer: str = "y",
    batch: int | str = "N",
    opsets: tuple[str, ...] = (),
) -> Any:
    """Return a model whose nodes come after a linear layer that makes ``g``, (N, 2)."""
    weight = numpy_helper.from_array(np.ones((64, 2), np.float32), "w")
    before = [helper.make_node(*each) for each in _BEFORE]
    whole = helper.make_graph(
        [*before, *nodes],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, 8, 8])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [batch, 2])],
        [weight, *(constants or [])],
    )
    known = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 1) for name in opsets)]
    return helper.make_model(whole, opset_imports=known, ir_version=8)


def written(model: Any, canaries: Canaries) -> Path:
    """Write a model that onnx itself may not find right."""
    path = canaries.folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def outside(location: str, place: str = "initializer") -> Callable[[Canaries], Path]:
    """Write a constant that lies in a file elsewhere; SECRET is filled, LINK leads to it."""

    def make(canaries: Canaries) -> Path:
        (canaries.folder / "link").symlink_to(canaries.secret)
        tensor = onnx.TensorProto(name="c", dims=[6], data_type=TensorProto.UINT8)
        tensor.data_location = TensorProto.EXTERNAL
        told = {"SECRET": str(canaries.secret), "LINK": "link"}.get(location, location)
        tensor.external_data.add(key="location", value=told)
        end = helper.make_node("Identity", ["g"], ["y"])
        if place == "initializer":
            return written(graph([end], [tensor]), canaries)
        constant = helper.make_node("Constant", [], ["c"], value=tensor)
        return written(graph([constant, end]), canaries)

    return make


def bomb(numbers: int, from_input: bool) -> Callable[[Canaries], Path]:
    """Write a graph that makes a constant of so many numbers, of a size known or computed."""

    def make(canaries: Canaries) -> Path:
        size = numpy_helper.from_array(np.array([numbers // 64], np.int64), "n")
        one = numpy_helper.from_array(np.array([64], np.int64), "one")
        count = ["x"] if from_input else ["w"]
        nodes = [
            helper.make_node("Shape", count, ["s"]),
            helper.make_node("ReduceProd", ["s"], ["p"], keepdims=1),
            helper.make_node("Mul", ["p", "n"], ["m"]),
            helper.make_node("ConstantOfShape", ["m"], ["big"]),
            helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
            helper.make_node("Add", ["g", "sum"], ["y"]),
        ]
        return written(graph(nodes, [size, one]), canaries)

    return make


def _claims(canaries: Canaries) -> Path:
    tensor = onnx.TensorProto(name="c", dims=[10**6, 10**6], data_type=TensorProto.FLOAT)
    return written(graph([helper.make_node("Identity", ["g"], ["y"])], [tensor]), canaries)


def _sparse(canaries: Canaries) -> Path:
    values = helper.make_tensor("c", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("c_places", TensorProto.INT64, [1], [0])
    model = graph([helper.make_node("Identity", ["g"], ["y"])])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [10**6, 10**6]))
    return written(model, canaries)


def _batch(canaries: Canaries) -> Path:
    return written(graph([helper.make_node("Identity", ["g"], ["y"])], batch=10**9), canaries)


def _circle(canaries: Canaries) -> Path:
    ends = [helper.make_node("Identity", [a], [b]) for a, b in (("y", "z"), ("z", "y"))]
    return written(graph(ends), canaries)


def _custom(canaries: Canaries) -> Path:
    node = helper.make_node("PyOp", ["g"], ["y"], domain="evil", module="os", compute="system")
    return written(graph([node], opsets=("evil",)), canaries)


def folder(
    change: Callable[[Path, Canaries], None] | None = None, **configuration: Any
) -> Callable[[Canaries], Path]:
    """Write a folder of transformers, with other entries in its config.json and other files."""

    def make(canaries: Canaries) -> Path:
        path = canaries.folder / "net"
        disable_progress_bar()
        plain = ResNetConfig(
            num_channels=1, embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic"
        )
        ResNetForImageClassification(plain).save_pretrained(path)
        (path / "preprocessor_config.json").write_text('{"size": 8}')
        said = json.loads((path / "config.json").read_text()) | configuration
        (path / "config.json").write_text(json.dumps(said))
        if change is not None:
            change(path, canaries)
        return path

    return make


def _own_code(path: Path, canaries: Canaries) -> None:
    (path / "evil.py").write_text(f"open({str(canaries.ran)!r}, 'w').close()\nModel = Config = 1\n")


def _pickled(path: Path, canaries: Canaries) -> None:
    torch.save({"more": Runs(canaries.ran)}, path / "pytorch_model.bin")
    torch.save({"more": Runs(canaries.ran)}, path / "training_args.bin")


def _pickled_alone(path: Path, canaries: Canaries) -> None:
    _pickled(path, canaries)
    (path / "model.safetensors").unlink()


def _shards(name: str) -> Callable[[Path, Canaries], None]:
    def change(path: Path, canaries: Canaries) -> None:
        _pickled(path, canaries)
        (path / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": {"a": name.replace("SECRET", str(canaries.secret))}}
        (path / "model.safetensors.index.json").write_text(json.dumps(index))

    return change


def _link(name: str) -> Callable[[Path, Canaries], None]:
    def change(path: Path, canaries: Canaries) -> None:
        (path / name).unlink()
        (path / name).symlink_to(canaries.secret)

    return change


def _pipe(path: Path, canaries: Canaries) -> None:
    (path / "preprocessor_config.json").unlink()
    os.mkfifo(path / "preprocessor_config.json")


def _adapter(path: Path, canaries: Canaries) -> None:
    (path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(canaries.secret.parent), "peft_type": "LORA"})
    )


_CODE = {"AutoConfig": "evil.Config", "AutoModelForImageClassification": "evil.Model"}

FILES = tuple(
    HostileFile(name, tries, make, read_model)
    for name, tries, make in (
        ("ONNX, data outside", "a constant in a file above its folder", outside("../secret")),
        ("ONNX, data at a path", "a constant in a file of another folder", outside("SECRET")),
        ("ONNX, data through a link", "a constant in a file that a link leads to", outside("LINK")),
        ("ONNX, data of a node", "a node's constant in another file", outside("../secret", "node")),
        ("ONNX, 10^12 numbers", "a constant that is computed", bomb(10**12, False)),
        ("ONNX, 10^10 numbers", "what is computed with an image", bomb(10**10, True)),
        ("ONNX, a shape alone", "a constant of 10^12 numbers that holds none", _claims),
        ("ONNX, sparse", "a sparse constant of 10^12 places", _sparse),
        ("ONNX, a batch", "batches of 10^9 images", _batch),
        ("ONNX, a circle", "nodes that make one another, without an end", _circle),
        ("ONNX, custom operator", "an operator that calls Python", _custom),
        ("transformers, auto_map", "code of its own", folder(_own_code, auto_map=_CODE)),
        (
            "transformers, a type of its own",
            "code of its own for a type that nobody knows",
            folder(_own_code, auto_map=_CODE, model_type="evil"),
        ),
        ("transformers, pickles beside", "pickles beside its weights", folder(_pickled)),
        ("transformers, pickled weights", "weights that are pickled", folder(_pickled_alone)),
        ("transformers, shards outside", "weights elsewhere", folder(_shards("../../secret"))),
        ("transformers, shards at a path", "weights elsewhere", folder(_shards("SECRET"))),
        (
            "transformers, pickled shards",
            "shards are pickles",
            folder(_shards("training_args.bin")),
        ),
        ("transformers, linked weights", "a link outside", folder(_link("model.safetensors"))),
        ("transformers, linked config.json", "a link outside", folder(_link("config.json"))),
        ("transformers, a pipe", "a processor's file that never ends", folder(_pipe)),
        ("transformers, an adapter", "a model of another folder", folder(_adapter)),
        (
            "transformers, a kernel",
            "code of a hub for its attention",
            folder(attn_implementation="evil/kernel"),
        ),
        (
            "transformers, timm",
            "a pickle that timm loads",
            folder(
                model_type="timm_wrapper",
                architecture="resnet18",
                model_args={"checkpoint_path": "pytorch_model.bin"},
            ),
        ),
        ("transformers, 10^10 weights", "absurd sizes", folder(hidden_sizes=[10**5])),
        ("transformers, labels", "10^10 classes", folder(num_labels=10**10)),
        (
            "transformers, layers",
            "10^5 layers of 10^4",
            folder(depths=[10**5], hidden_sizes=[10**4]),
        ),
    )
)

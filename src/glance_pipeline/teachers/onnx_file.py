"""Teachers from ONNX files, run by onnxruntime: black boxes, but with features of their own.

An ONNX file is a graph of known operators and holds no code.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from glance_pipeline.teachers.black_box import BlackBox, Queries
from glance_pipeline.teachers.extras import needed
from glance_pipeline.teachers.features import answering_layer
from glance_pipeline.teachers.source import Source

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_LINEAR = ("Gemm", "MatMul")
_ENDS = ("Softmax", "Sigmoid")
_PASSING = ("Add", "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "LogSoftmax")
_CHANNELS = (1, 3)


def read_onnx(
    path: Path, feature_layer: str | None, queries: Queries, output: str | None = None
) -> Source:
    """Read an ONNX file and give its graph the penultimate features as a second output.

    Args:
        path: the file.
        feature_layer: name of a node, or of a tensor, whose input is wanted; None takes the
            ``Gemm``, ``MatMul`` or ``Conv`` that answers. Where a convolution does before it is
            pooled, or there is none, the logits are the features.
        queries: counts and keeps what the network says.
        output: which output holds the logits, where there are several.

    Raises:
        ValueError: where it is no complete ONNX file, takes other than one batch of images, or has
            no such layer or output.
    """
    onnx = needed("onnx", "onnx", "an ONNX file")
    needed("onnxruntime", "onnx", "an ONNX file")
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's, onnx's and the file system's have no common base
        raise ValueError(
            f"{path.stat().st_size} bytes were found which are no complete ONNX file "
            f"({str(error).strip().partition(chr(10))[0]})"
        ) from error
    answer = _chosen(model.graph, output)
    layer = _features(model.graph, feature_layer, answer)
    wanted = [answer] if layer is None else [answer, layer]
    if layer is not None and layer not in [given.name for given in model.graph.output]:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(layer))
    session = _session(model, path)
    runner = _Runner(session, wanted)
    known: dict[str, Any] = {"network_shape": runner.image_shape}
    last = next(node for node in model.graph.node if answer in node.output)
    if last.op_type in _ENDS:
        several = last.op_type == "Sigmoid" and _width(model.graph, answer) != 1
        known["output"] = "label_probabilities" if several else "probabilities"
    return Source(BlackBox(runner, queries), known)


class _Runner:
    """Runs a session on batches of any size, images with their channels first or last."""

    def __init__(self, session: Any, wanted: list[str]) -> None:
        self.session = session
        self.wanted = wanted
        inputs = session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or "float" not in inputs[0].type:
            found = [(each.name, each.type, each.shape) for each in inputs]
            raise ValueError(f"it takes {found}; one float tensor (N, C, H, W) was wanted")
        self.name = inputs[0].name
        self.type = np.float16 if "float16" in inputs[0].type else np.float32
        batch, *sizes = [size if isinstance(size, int) else None for size in inputs[0].shape]
        self.batch = batch
        self.last = sizes[2] in _CHANNELS and sizes[0] not in _CHANNELS
        self.image_shape = (sizes[2], *sizes[:2]) if self.last else tuple(sizes)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return outputs and features of float32 images (N, C, H, W)."""
        images = images.astype(self.type)
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1)) if self.last else images
        size = self.batch or len(images)
        answers = [self._filled(images[i : i + size], size) for i in range(0, len(images), size)]
        parts = [np.concatenate(each) for each in zip(*answers, strict=True)]
        return parts[0], parts[1] if len(parts) > 1 else None

    def _filled(self, images: np.ndarray, size: int) -> list[np.ndarray]:
        """Ask about fewer images than the network takes by repeating the last."""
        count = len(images)
        if count < size:
            images = np.concatenate([images, np.repeat(images[-1:], size - count, 0)])
        return [part[:count] for part in self.session.run(self.wanted, {self.name: images})]


def _session(model: "ModelProto", path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors derive from Exception alone
        raise ValueError(f"onnxruntime cannot run it: {error}") from error


def _chosen(graph: "GraphProto", output: str | None) -> str:
    names = [each.name for each in graph.output]
    if output is None and len(names) == 1:
        return names[0]
    if output is None or output not in names:
        raise ValueError(
            f"it has the outputs {names}, and `key` is {output!r}; name the one that holds the "
            "logits under `key`"
        )
    return output


def _width(graph: "GraphProto", answer: str) -> int:
    """Return how many numbers an image is answered with; 0 where the graph leaves it open."""
    (found,) = (each for each in graph.output if each.name == answer)
    dimensions = found.type.tensor_type.shape.dim
    return int(dimensions[-1].dim_value) if len(dimensions) > 1 else len(dimensions)


def _before_bias_and_softmax(graph: "GraphProto", constant: set[str], answer: str) -> str:
    """Return the tensor that an answer is made of by nothing but a bias, a softmax and the like."""
    makers = {tensor: node for node in graph.node for tensor in node.output}
    while answer in makers and makers[answer].op_type in (*_ENDS, *_PASSING):
        variable = [tensor for tensor in makers[answer].input if tensor not in constant]
        if len(variable) != 1:
            break
        answer = variable[0]
    return answer


def _features(graph: "GraphProto", name: str | None, answer: str) -> str | None:
    constant = {each.name for each in graph.initializer}
    constant |= {out for node in graph.node if node.op_type == "Constant" for out in node.output}
    if name is None:
        layers = [
            node
            for node in graph.node
            if node.op_type == "Conv" or (node.op_type in _LINEAR and node.input[1] in constant)
        ]
        last = _before_bias_and_softmax(graph, constant, answer)
        found = answering_layer([(last in n.output, n.op_type in _LINEAR) for n in layers])
        return None if found is None else layers[found].input[0]
    nodes = {node.name: node.input[0] for node in graph.node if node.input}
    tensors = {tensor for node in graph.node for tensor in node.output}
    if name in nodes:
        return nodes[name]
    if name in tensors:
        return name
    raise ValueError(
        f"specification.feature_layer: the graph has no node or tensor {name!r}; it has the nodes "
        f"{sorted(filter(None, nodes))}"
    )

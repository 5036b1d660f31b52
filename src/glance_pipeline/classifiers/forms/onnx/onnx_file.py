"""Teachers from ONNX files, run by onnxruntime: black boxes, but with features of their own.

An ONNX file is a graph of known operators and holds no code. What it computes may take any memory,
which is capped, and any time, which is not.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import BlackBox, Queries
from glance_pipeline.classifiers.forms.extras import needed
from glance_pipeline.classifiers.forms.onnx.onnx_metadata import said_of_images
from glance_pipeline.classifiers.forms.onnx.onnx_model import load_model
from glance_pipeline.classifiers.penultimate import answering_layer
from glance_pipeline.support.errors import UserError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

_LINEAR = ("Gemm", "MatMul")
_ENDS = ("Softmax", "Sigmoid")
_PASSING = ("Add", "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "LogSoftmax")
_CHANNELS = (1, 3)
_TYPES: dict[str, type] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}
"""What images may be given as."""

_MOST_FOLDED = 2**26  # bytes of a constant that is computed beforehand


def read_onnx(
    path: Path,
    feature_layer: str | None,
    queries: Queries,
    output: str | None = None,
    most_gb: float = 8.0,
) -> LoadedNetwork:
    """Read an ONNX file and give its graph the penultimate features as a second output.

    Args:
        path: the file.
        feature_layer: name of a node, or of a tensor, whose input is wanted; None takes the
            ``Gemm``, ``MatMul`` or ``Conv`` that answers. Where a convolution does before it is
            pooled, or there is none, the logits are the features.
        queries: counts and keeps what the network says.
        output: which output holds the logits, where there are several.
        most_gb: most memory for its constants, and for what it computes, GB.

    Raises:
        ValueError: if it is no complete ONNX file, takes other than one batch of images, or has
            no such layer or output, or takes more memory.
    """
    onnx = needed("onnx", "onnx", "an ONNX file")
    needed("onnxruntime", "onnx", "an ONNX file")
    model = load_model(path, most_gb * 1e9)
    answer = _chosen(model.graph, output)
    makers = {tensor: node for node in model.graph.node for tensor in node.output}
    if answer not in makers:
        raise ValueError(f"no node of its graph makes the output {answer!r}")
    layer = _features(model.graph, feature_layer, answer)
    wanted = [answer] if layer is None else [answer, layer]
    if layer is not None and layer not in [given.name for given in model.graph.output]:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(layer))
    runner = _Runner(_session(model, most_gb), wanted, most_gb)
    metadata = {each.key: each.value for each in model.metadata_props}
    known: dict[str, Any] = {"network_shape": runner.image_shape} | said_of_images(metadata)
    last = makers[answer].op_type
    if last in _ENDS:
        several = last == "Sigmoid" and _width(model.graph, answer) != 1
        known["output"] = "label_probabilities" if several else "probabilities"
    return LoadedNetwork(BlackBox(runner, queries), known, said=runner.said)


class _Runner:
    """Runs a session on batches of any size, images with their channels first or last."""

    def __init__(self, session: Any, wanted: list[str], most_gb: float) -> None:
        self.session = session
        self.wanted = wanted
        self.most_gb = most_gb
        inputs = session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _TYPES:
            found = [(each.name, each.type, each.shape) for each in inputs]
            raise ValueError(
                f"it takes {found}; one tensor (N, C, H, W) of {' or '.join(_TYPES)} was wanted"
            )
        self.name = inputs[0].name
        self.type = _TYPES[inputs[0].type]
        batch, *sizes = [size if isinstance(size, int) else None for size in inputs[0].shape]
        known = [size for size in (batch, *sizes) if size is not None]
        if min(known, default=1) < 1 or 8 * math.prod(known) > most_gb * 1e9:
            raise ValueError(
                f"it takes batches of the shape {inputs[0].shape}; sizes from 1 up, and batches of "
                f"at most {most_gb} GB (`most_gb` of the catalog entry), were wanted"
            )
        self.batch = batch
        self.last = sizes[2] in _CHANNELS and sizes[0] not in _CHANNELS
        self.image_shape = (sizes[2], *sizes[:2]) if self.last else tuple(sizes)

    @property
    def said(self) -> tuple[str, ...]:
        """What is worth a word in the log."""
        if self.type is np.float32:
            return ()
        return (f"it takes {self.type.__name__}; it is given float32 images in that precision",)

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
        try:
            answers = self.session.run(self.wanted, {self.name: images})
        except Exception as error:  # onnxruntime's errors derive from Exception alone
            raise UserError(
                f"onnxruntime cannot ask it about a batch {images.shape}, with at most "
                f"{self.most_gb:g} GB of memory (`most_gb` of the catalog entry): {error}"
            ) from error
        return [_rows(part, count) for part in answers]


def _rows(part: Any, count: int) -> np.ndarray:
    """Return the first rows of one output, in float32."""
    if not isinstance(part, np.ndarray) or part.ndim < 1 or part.dtype.kind not in "fiub":
        raise UserError(
            f"it answers with {getattr(part, 'dtype', type(part).__name__)}; a tensor of numbers, "
            "one row per image, was wanted (of scikit-learn's models export with zipmap=False)"
        )
    return part[:count].astype(np.float32, copy=False)


def _session(model: "ModelProto", most_gb: float) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    # The process has one such allocator at a time; a session keeps the one it was made with.
    place = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(place, ort.OrtArenaCfg({"max_mem": int(most_gb * 1e9)}))
    options.add_session_config_entry("session.use_env_allocators", "1")
    # It would take a graph whose fifth byte begins "ORTM" for its own format, another graph.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry(
        "optimization.constant_folding_max_output_size_in_bytes", str(_MOST_FOLDED)
    )
    try:
        return ort.InferenceSession(
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
        variable = [tensor for tensor in makers.pop(answer).input if tensor not in constant]
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
            if len(node.input) > 1
            and (node.op_type == "Conv" or (node.op_type in _LINEAR and node.input[1] in constant))
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

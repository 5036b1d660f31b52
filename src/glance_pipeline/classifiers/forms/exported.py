"""Teachers from torch.export's .pt2 files.

``torch.export.load`` unpickles what such a file may hold beside its graph, and evaluates the
expressions of its shapes and guards as Python: such a file is a program, and nothing here makes it
anything else. It is loaded only where the user trusts it (``ClassifierDataset``).
"""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from glance_pipeline.classifiers.as_read import BothOutputs, InFloat32, LoadedNetwork
from glance_pipeline.classifiers.penultimate import (
    SAME_NUMBERS,
    answering_layer,
    no_layer_in_graph,
)

_LAYERS = {"aten.linear.default": (0, 1), "aten.addmm.default": (1, 2), "aten.mm.default": (0, 1)}
"""Where linear layers have their input and their weight."""

_CONVOLUTIONS = {"aten.conv2d.default": (0, 1), "aten.convolution.default": (0, 1)}
_CHECK_OF_TYPE = torch.ops.aten._assert_tensor_metadata.default


def read_exported(path: Path, feature_layer: str | None) -> LoadedNetwork:
    """Read an exported program and give its graph the penultimate features as a second output.

    Args:
        path: the file.
        feature_layer: dotted name of a linear or convolutional layer whose input is wanted; None
            takes the one that answers.

    Raises:
        ValueError: if it is no complete file of ``torch.export.save``, or has no such layer.
    """
    with _quiet():
        try:
            module = torch.export.load(path).module()
        except Exception as error:  # what is damaged fails in whatever way its damage has it
            raise ValueError(
                f"{path.stat().st_size} bytes were found which are no complete file of "
                f"torch.export.save ({error})"
            ) from error
    example = _input(module)
    batch, *sizes = (size if isinstance(size, int) else None for size in example.shape)
    network: nn.Module = _with_features(module, feature_layer).requires_grad_(False)
    known = {"network_shape": tuple(sizes)}
    if example.dtype == torch.float32:
        return LoadedNetwork(BothOutputs(network, batch), known)
    network = InFloat32(copy.deepcopy(network).float(), network, example.dtype)
    kind = str(example.dtype).removeprefix("torch.")
    said = f"it was exported for {kind}; it is asked in float32"
    return LoadedNetwork(BothOutputs(network, batch), known, said=(said,))


def _with_features(module: fx.GraphModule, name: str | None) -> fx.GraphModule:
    graph = module.graph
    (output,) = graph.find_nodes(op="output")
    given = output.args[0]
    if not isinstance(given, (tuple, list)) or len(given) != 1:
        raise ValueError(
            f"the exported program answers with {len(given) if given else 0} values; one tensor "
            "was wanted"
        )
    output.args = ((given[0], _features(graph, name, given[0])),)
    for guard in graph.find_nodes(op="call_module"):
        graph.erase_node(guard)  # checks of the input's shape, which the specification does
    for check in graph.find_nodes(op="call_function", target=_CHECK_OF_TYPE):
        graph.erase_node(check)
    graph.set_codegen(fx.graph.CodeGen())  # not that of export, which expects the old outputs
    return fx.GraphModule(module, graph)


def _features(graph: fx.Graph, name: str | None, answer: fx.Node) -> fx.Node:
    layers = list(_layers(graph, _LAYERS | _CONVOLUTIONS))
    if name is None:
        answer = _before_reshaping(answer)
        found = answering_layer([(n is answer, str(n.target) in _LAYERS) for n, _, _ in layers])
        if found is not None:
            return layers[found][1]
    named = {weight: features for _, features, weight in layers}
    if name in named:
        return named[name]
    raise no_layer_in_graph("exported graph", name, [weight for _, _, weight in layers])


def _before_reshaping(answer: fx.Node) -> fx.Node:
    """Return the node whose numbers an answer holds in another shape."""
    while answer.op == "call_function" and _operator(answer) in SAME_NUMBERS:
        answer = answer.all_input_nodes[0]
    return answer


def _operator(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.").partition(".")[0]


def _layers(
    graph: fx.Graph, kinds: dict[str, tuple[int, int]]
) -> Iterator[tuple[fx.Node, fx.Node, str]]:
    """Yield each layer, its input and its name."""
    for node in graph.nodes:
        kind = str(node.target) if node.op == "call_function" else ""
        if kind in kinds:
            features, weight = (node.args[index] for index in kinds[kind])
            while weight.op == "call_function":  # a transposition of the weight
                weight = weight.args[0]
            yield node, features, str(weight.target).removesuffix(".weight")


def _input(module: fx.GraphModule) -> Tensor:
    """Return a stand-in for the images that a program takes: its shape and type."""
    inputs = module.graph.find_nodes(op="placeholder")
    if len(inputs) != 1:
        raise ValueError(
            f"the exported program takes {len(inputs)} inputs, {[str(node) for node in inputs]}; "
            "images alone were wanted"
        )
    example = inputs[0].meta["val"]
    if not isinstance(example, Tensor) or example.ndim != 4 or not example.is_floating_point():
        shape = tuple(example.shape) if isinstance(example, Tensor) else type(example).__name__
        raise ValueError(
            f"the exported program takes input {shape}; fractions (N, C, H, W) were wanted"
        )
    return example


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch.export's advice to those who write such files off the console."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

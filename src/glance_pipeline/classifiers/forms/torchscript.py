"""Teachers from TorchScript files.

TorchScript is a program for torch's own interpreter: it may take any time and memory, and read and
write files that it names. It is loaded only where the user trusts it (``ClassifierDataset``).
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glance_pipeline.classifiers.as_read import BothOutputs, InFloat32, LoadedNetwork
from glance_pipeline.classifiers.penultimate import (
    SAME_NUMBERS,
    answering_layer,
    no_layer_in_graph,
)

_LAYERS = {"aten::linear": (0, 1), "aten::addmm": (1, 2), "aten::matmul": (0, 1)}
"""Where linear layers have their input and their weight."""

_CONVOLUTIONS = {"aten::conv2d": (0, 1), "aten::_convolution": (0, 1)}


def read_torchscript(path: Path, feature_layer: str | None) -> LoadedNetwork:
    """Read a TorchScript file and give its graph the penultimate features as a second output.

    Args:
        path: the file.
        feature_layer: dotted name of a linear or convolutional layer whose input is wanted; None
            takes the one that answers.

    Raises:
        ValueError: if it is no complete TorchScript file, or has no such layer.
    """
    function, kinds = _function(path, feature_layer)
    others = sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32})
    if not others:
        return LoadedNetwork(BothOutputs(function))
    widened, _ = _function(path, feature_layer, in_float32=True)
    said = f"its weights are {' and '.join(others)}; it is asked in float32"
    return LoadedNetwork(BothOutputs(InFloat32(widened, function)), said=(said,))


def _function(
    path: Path, feature_layer: str | None, in_float32: bool = False
) -> tuple[Callable[[Tensor], tuple[Tensor, Tensor]], set[torch.dtype]]:
    """Load a program; return what answers with outputs and features, and its weights' types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that it will drop TorchScript one day
        try:
            module = torch.jit.load(str(path), map_location="cpu")
        except Exception as error:  # what is damaged fails in whatever way its damage has it
            raise ValueError(
                f"{path.stat().st_size} bytes were found which are no complete TorchScript file "
                f"({_first_line(error)})"
            ) from error
        held = [*module.parameters(), *module.buffers()]
        kinds = {tensor.dtype for tensor in held if tensor.is_floating_point()}
        module = module.float() if in_float32 else module
        # Frozen, all submodules are one graph and their weights constants under their own names.
        frozen = torch.jit.freeze(module.eval(), optimize_numerics=False)
    answer = _with_features(frozen.graph.copy(), feature_layer)
    # What torch says of an error in the graph points into both modules: they must live as long.
    return partial(_answer, answer, (module, frozen)), kinds


def _answer(
    function: Callable[[Tensor], tuple[Tensor, Tensor]], _kept: Any, images: Tensor
) -> tuple[Tensor, Tensor]:
    return function(images)


def _with_features(graph: Any, name: str | None) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    _check_signature(graph)
    features = _features(graph, name)
    graph.registerOutput(features)
    graph.makeMultiOutputIntoTuple()
    if next(iter(graph.inputs())).uses():
        raise ValueError(
            "the TorchScript module changes itself while it answers: a module in evaluation mode "
            "without such state was wanted"
        )
    graph.eraseInput(0)
    return torch._C._create_function_from_graph("answer", graph)


def _check_signature(graph: Any) -> None:
    taken, given = len(list(graph.inputs())) - 1, list(graph.outputs())
    if taken != 1:
        raise ValueError(f"the TorchScript module takes {taken} inputs; images alone were wanted")
    kind = given[0].type().kind()
    if kind != "TensorType":
        raise ValueError(
            f"the TorchScript module answers with a {kind}; one tensor was wanted: script or trace "
            "a module that returns the logits alone"
        )


def _features(graph: Any, name: str | None) -> Any:
    layers = list(_layers(graph, _LAYERS | _CONVOLUTIONS))
    if name is None:
        answer = _before_reshaping(next(iter(graph.outputs()))).debugName()
        found = answering_layer(
            [(node.output().debugName() == answer, node.kind() in _LAYERS) for node, _, _ in layers]
        )
        if found is not None:
            return layers[found][1]
    named = {weight: features for _, features, weight in layers if weight}
    if name in named:
        return named[name]
    raise no_layer_in_graph("TorchScript graph", name, [weight for _, _, weight in layers])


def _before_reshaping(answer: Any) -> Any:
    """Return the value whose numbers an answer holds in another shape."""
    while answer.node().kind().removeprefix("aten::") in SAME_NUMBERS:
        answer = next(iter(answer.node().inputs()))
    return answer


def _layers(graph: Any, kinds: dict[str, tuple[int, int]]) -> Iterator[tuple[Any, Any, str]]:
    """Yield each layer, its input and its name, where its weight has one."""
    for node in graph.nodes():
        if node.kind() in kinds:
            inputs = list(node.inputs())
            features, weight = (inputs[index] for index in kinds[node.kind()])
            name = weight.debugName()
            is_named = name.startswith("self.") and name.endswith(".weight")
            yield node, features, name[len("self.") : -len(".weight")] if is_named else ""


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

"""Teachers from torch.export's .pt2 files.

``torch.export.load`` unpickles what such a file may hold beside its graph, and evaluates the
expressions of its shapes; its makers say never to load a file one does not trust. So a file with
pickled objects, compiled code or shapes that are no plain arithmetic is refused before loading.
"""

import io
import json
import logging
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import fx

from glance_pipeline.teachers.features import (
    SAME_NUMBERS,
    answering_layer,
    no_layer_in_graph,
)
from glance_pipeline.teachers.source import BothOutputs, Source

_LAYERS = {"aten.linear.default": (0, 1), "aten.addmm.default": (1, 2), "aten.mm.default": (0, 1)}
"""Where linear layers have their input and their weight."""

_CONVOLUTIONS = {"aten.conv2d.default": (0, 1), "aten.convolution.default": (0, 1)}
_PICKLED = re.compile(r"data/(weights|constants)/.*\.pt|data/constants/(custom|opaque)_obj.*")
_ARITHMETIC = re.compile(
    r"(?:Symbol\('\w+'|[A-Z][A-Za-z]*\(|[A-Za-z]\w*(?!\w|\()|\d+(?:\.\d+)?|[\s+\-*/%(),<>=!&|~])*"
)
"""Names, numbers and operators; what is called has a capital, as sympy's classes do."""


def read_exported(path: Path, feature_layer: str | None) -> Source:
    """Read an exported program and give its graph the penultimate features as a second output.

    Args:
        path: the file.
        feature_layer: dotted name of a linear or convolutional layer whose input is wanted; None
            takes the one that answers.

    Raises:
        ValueError: where it is no complete file of ``torch.export.save``, holds more than weights
            and a graph, or has no such layer.
    """
    _refuse_code(path)
    with _quiet():
        try:
            module = torch.export.load(path).module()
        except (RuntimeError, ValueError, KeyError, AssertionError, zipfile.BadZipFile) as error:
            raise ValueError(f"torch.export cannot load it: {error}") from error
    shape = _input_shape(module)
    batch = shape[0] if isinstance(shape[0], int) else None
    sizes = tuple(size if isinstance(size, int) else None for size in shape[1:])
    network = _with_features(module, feature_layer).requires_grad_(False)
    return Source(BothOutputs(network, batch), {"network_shape": sizes})


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


def _input_shape(module: fx.GraphModule) -> tuple[Any, ...]:
    inputs = module.graph.find_nodes(op="placeholder")
    if len(inputs) != 1:
        raise ValueError(
            f"the exported program takes {len(inputs)} inputs, {[str(node) for node in inputs]}; "
            "images alone were wanted"
        )
    shape = tuple(inputs[0].meta["val"].shape)
    if len(shape) != 4:
        raise ValueError(f"the exported program takes input {shape}; (N, C, H, W) was wanted")
    return shape


def _refuse_code(path: Path) -> None:
    """Raise where the archive holds anything that loading would run."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name.partition("/")[2]: name for name in archive.namelist()}
            if len(files) < len(archive.namelist()):
                raise ValueError(
                    "two entries of the archive have one name, of which one could hide the other: "
                    "a file of torch.export.save was wanted"
                )
            for inner, name in files.items():
                _refuse_if_code(inner, lambda name=name: archive.read(name))
    except (zipfile.BadZipFile, EOFError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path.stat().st_size} bytes were found which are no complete file of "
            f"torch.export.save ({error})"
        ) from error
    if not any(name.startswith("models/") for name in files):
        raise ValueError(
            f"no exported program is in it, it holds {sorted(files)[:6]}; a file of "
            "torch.export.save was wanted"
        )


def _refuse_if_code(name: str, read: Any) -> None:
    reason = ""
    if name.startswith("data/aotinductor/"):
        reason = "compiled code"
    elif name.endswith("_config.json"):
        entries = json.loads(read()).get("config", {}).values()
        pickled = [e["path_name"] for e in entries if e.get("use_pickle")]
        reason = f"pickled Python objects {pickled[:4]}" if pickled else ""
    elif name.startswith("models/"):
        strange = [text for text in _expressions(json.loads(read())) if not _is_arithmetic(text)]
        reason = f"a shape that is no arithmetic, {strange[0][:60]!r}" if strange else ""
    elif _PICKLED.fullmatch(name):
        reason = f"pickled Python objects in {name}"
    elif name.startswith("data/sample_inputs/"):
        try:
            torch.load(io.BytesIO(read()), weights_only=True)
        except (UnpicklingError, RuntimeError, EOFError) as error:
            reason = f"pickled Python objects in {name} ({str(error).splitlines()[0]})"
    if reason:
        raise ValueError(
            f"it holds {reason}, and loading that could run any code: export the network alone, "
            "on an example of plain tensors, `torch.export.save(torch.export.export(model.eval(), "
            "(images,)), path)`"
        )


def _expressions(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        if isinstance(content.get("expr_str"), str):
            yield content["expr_str"]
        for value in content.values():
            yield from _expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from _expressions(value)


def _is_arithmetic(text: str) -> bool:
    return "__" not in text and _ARITHMETIC.fullmatch(text) is not None


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

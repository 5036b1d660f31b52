"""Penultimate features of a network that is a plain ``nn.Module``: the input of one layer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.support.did_you_mean import known_instead

AnswerBoth = Callable[[Tensor], tuple[Any, Tensor | None]]
"""Maps normalised images (N, C, H, W) to outputs and penultimate features (N, F) or None."""


class WithFeatures(nn.Module, ABC):
    """A network that gives outputs and penultimate features by itself."""

    def forward(self, images: Tensor) -> Any:
        """Return the outputs for normalised ``images`` (N, C, H, W)."""
        return self.answer(images)[0]

    @abstractmethod
    def answer(self, images: Tensor) -> tuple[Any, Tensor | None]:
        """Return the outputs, and the features (N, F) or None if it has none."""


SAME_NUMBERS = frozenset(
    {"alias", "clone", "contiguous", "dropout", "flatten", "reshape", "squeeze", "view"}
)
"""Torch's operators that leave an answer's numbers as they are, in evaluation mode."""


def answering_layer(layers: Sequence[tuple[bool, bool]]) -> int | None:
    """Return which of a graph's layers has the features for its input.

    That is the layer whose output is the graph's, else the last linear one, but not where a
    convolution follows it: it then lies in the midst of a network that a convolution answers for.

    Args:
        layers: in the order of the graph: whether its output is the graph's, in whatever shape,
            and whether it is linear; those that are not are convolutions.

    Returns:
        Its number; None if there is no such layer.
    """
    direct = [number for number, (answers, _) in enumerate(layers) if answers]
    if direct:
        return direct[-1]
    return len(layers) - 1 if layers and layers[-1][1] else None


def no_layer_in_graph(graph: str, name: str | None, layers: Sequence[str]) -> ValueError:
    """Return what is raised where a graph has no layer to take the features from.

    Args:
        graph: what it is.
        name: name of the layer that was wanted; None if one was to be found.
        layers: names of its layers, in its order, empty if a layer has none.
    """
    named = [layer for layer in layers if layer]
    if name is not None:
        return ValueError(
            f"specification.feature_layer: the {graph} has no layer {name!r}; "
            f"{known_instead(name, named)}"
        )
    return ValueError(
        f"the {graph} has no linear layer that answers, to take the penultimate features from: "
        f"name a layer in specification.feature_layer; its last are {named[-3:]}"
    )


def answering(network: nn.Module, feature_layer: str | None, images: Tensor) -> AnswerBoth:
    """Return how to have a network's outputs and penultimate features in one pass.

    A network ``WithFeatures`` gives both itself. Any other has its features read where they enter
    ``feature_layer``.

    Args:
        network: the classifier.
        feature_layer: dotted name of a module; None takes the layer that gives the answer.
        images: normalised (N, C, H, W), on which that layer is found.

    Raises:
        ValueError: if there is no such layer, or what enters it has not one row for each image.
    """
    if isinstance(network, WithFeatures):
        return network.answer
    layer = layer_of_features(network, feature_layer, images)

    def answer(images: Tensor) -> tuple[Any, Tensor]:
        seen: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
        try:
            said = network(images)
        finally:
            hook.remove()
        if not seen:
            raise ValueError(
                "the network answers without its feature layer; name one that it passes through "
                "in specification.feature_layer"
            )
        if len(seen[-1]) != len(images):
            raise ValueError(
                f"specification.feature_layer: what enters the layer is of shape "
                f"{tuple(seen[-1].shape)} for {len(images)} images; a row for each was wanted: "
                "name another layer"
            )
        return said, seen[-1].flatten(1)

    return answer


def layer_of_features(network: nn.Module, feature_layer: str | None, images: Tensor) -> nn.Module:
    """Return the layer whose input is the penultimate features; for the rest see ``answering``."""
    return _named(network, feature_layer) if feature_layer else _last(network, images)


def _named(network: nn.Module, name: str) -> nn.Module:
    modules = dict(network.named_modules())
    if name not in modules:
        raise ValueError(
            f"specification.feature_layer: the network has no module {name!r}; "
            f"{known_instead(name, [m for m in modules if m])}"
        )
    return modules[name]


def _last(network: nn.Module, images: Tensor) -> nn.Module:
    """Return the layer whose output is the network's, else the last linear one that it passes.

    A convolution may answer too, for images pooled to one pixel. The order in which layers are
    listed says nothing: an auxiliary head may come last there, and where a convolution answers
    before the pooling the last linear layer may lie in the midst of the network.
    """
    passed = _passed(network, images)
    answering = [one for one in passed if one.answers]
    if answering:
        return answering[-1].layer
    if passed and passed[-1].wide and not isinstance(passed[-1].layer, nn.Linear):
        raise ValueError(
            f"the network's last layer with an output for each class is {passed[-1].name!r}, no "
            "nn.Linear but a convolution: name it, or another, in specification.feature_layer"
        )
    linear = [one for one in passed if isinstance(one.layer, nn.Linear)]
    if not linear:
        found = [one.name for one in passed][-3:]
        raise ValueError(
            "the network has no nn.Linear to take the penultimate features from: name the layer in "
            f"specification.feature_layer{f'; its last convolutions are {found}' if found else ''}"
        )
    return linear[-1].layer


@dataclass(frozen=True)
class _Passed:
    """A layer that an image passes through.

    Attributes:
        name: dotted.
        layer: linear or a convolution.
        wide: whether it has as many outputs as the network.
        answers: whether its output is the network's, in whatever shape.
    """

    name: str
    layer: nn.Module
    wide: bool
    answers: bool


@torch.no_grad()
def _passed(network: nn.Module, images: Tensor) -> list[_Passed]:
    """Return linear layers and convolutions in the order in which images pass through them."""
    outputs: list[tuple[str, nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_hook(
            lambda module, _inputs, output, name=name: outputs.append((name, module, output))
        )
        for name, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d))
    ]
    try:
        said = network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [
        _Passed(
            name,
            layer,
            wide=output.ndim > 1 and output.shape[1] == said.shape[-1],
            answers=output.numel() == said.numel()
            and torch.equal(output.reshape(said.shape).to(said.dtype), said),
        )
        for name, layer, output in outputs
    ]

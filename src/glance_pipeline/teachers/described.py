"""A network described in a few lines of text, for weights whose class is not at hand."""

import ast
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class DescribedNetwork(nn.Module):
    """Layers of ``torch.nn``, one after the other, under the names that their weights have.

    In the catalog::

        network: glance_pipeline.teachers.described.DescribedNetwork
        arguments:
          layers:
            conv1: Conv2d(1, 32, 3, padding=1)
            relu1: ReLU()
            pool1: MaxPool2d(2)
            flat: Flatten()
            linear1: Linear(6272, 10)

    Args:
        layers: by name, in their order; dots make modules within modules (``cnn.0``). A layer is
            written as in Python, with numbers, strings, truth values and tuples as arguments;
            nothing else of Python is understood. Layers without weights may have any name.

    Raises:
        ValueError: naming a layer that is no such thing.
    """

    def __init__(self, layers: Mapping[str, str]) -> None:
        super().__init__()
        self.arguments = {"layers": dict(layers)}
        self._order = [self._add(str(name), text) for name, text in layers.items()]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to the last layer's output."""
        seen = images
        for name in self._order:
            seen = self.get_submodule(name)(seen)
        return seen

    def _add(self, name: str, text: str) -> str:
        *folders, last = name.split(".")
        place: nn.Module = self
        for folder in folders:
            if folder not in dict(place.named_children()):
                place.add_module(folder, nn.Module())
            place = place.get_submodule(folder)
        try:
            place.add_module(last, _layer(text))
        except (ValueError, TypeError, RuntimeError, KeyError) as error:
            raise ValueError(
                f"layers: {name}: found {text!r}, wanted a layer of torch.nn as "
                f"`Conv2d(1, 32, 3, padding=1)`: {error}"
            ) from error
        return name


def _layer(text: Any) -> nn.Module:
    try:
        call = ast.parse(str(text), mode="eval").body
    except SyntaxError as error:
        raise ValueError(error.msg) from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError("it is no call of a layer")
    kind = getattr(nn, call.func.id, None)
    if not isinstance(kind, type) or not issubclass(kind, nn.Module):
        raise ValueError(f"torch.nn has no layer {call.func.id!r}")
    if any(keyword.arg is None for keyword in call.keywords):
        raise ValueError("** is not understood")
    arguments = [ast.literal_eval(argument) for argument in call.args]
    named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    return kind(*arguments, **named)

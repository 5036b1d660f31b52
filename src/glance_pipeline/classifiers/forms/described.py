"""A network described in a few lines of text, for weights whose class is not at hand."""

import ast
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.forms.building import of_bounded_size

_MOST_LAYERS = 10_000
_LONGEST = 1000  # characters of one layer


class DescribedNetwork(nn.Module):
    """Layers of ``torch.nn``, one after the other, under the names that their weights have.

    In the catalog::

        network: glance_pipeline.classifiers.forms.described.DescribedNetwork
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
        most_numbers: weights that it may have, and numbers that may pass between two of its
            layers.

    Raises:
        ValueError: naming a layer that is no such thing, or makes the network larger than that.
    """

    def __init__(self, layers: Mapping[str, str], most_numbers: int = 1_000_000_000) -> None:
        super().__init__()
        if not isinstance(layers, Mapping) or not layers:
            raise ValueError(
                f"layers: found {str(layers)!r:.80}, wanted names of layers, with each"
            )
        self.arguments = {"layers": dict(layers)}
        self.most_numbers = most_numbers
        self._fitting: set[torch.Size] = set()
        # Without memory at first, so that what is absurdly large is found before it is made.
        with torch.device("meta"), of_bounded_size(most_numbers, _MOST_LAYERS):
            self._sketch = [_named_layer(str(name), text) for name, text in layers.items()]
        self._order = [self._add(str(name), text) for name, text in layers.items()]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to the last layer's output.

        Raises:
            ValueError: if more numbers than ``most_numbers`` would pass between two layers.
        """
        self._check_size(images)
        seen = images
        for name in self._order:
            seen = self.get_submodule(name)(seen)
        return seen

    @torch.no_grad()
    def _check_size(self, images: Tensor) -> None:
        """Raise if images of this shape become too many numbers; each shape is tried once."""
        if images.shape in self._fitting:
            return
        seen: Any = torch.empty(images.shape, device="meta")
        for name, layer in zip(self._order, self._sketch, strict=True):
            try:
                seen = layer.eval()(seen)
            except NotImplementedError:  # of a layer that cannot be tried without memory
                break
            if isinstance(seen, Tensor) and seen.numel() > self.most_numbers:
                raise ValueError(
                    f"layers: {name}: it would answer with the shape {tuple(seen.shape)}; at most "
                    f"{self.most_numbers:,} numbers were wanted (`most_numbers` among `arguments`)"
                )
        self._fitting.add(images.shape)

    def _add(self, name: str, text: str) -> str:
        *folders, last = name.split(".")
        place: nn.Module = self
        layer = _named_layer(name, text)
        try:
            for folder in folders:
                if folder not in dict(place.named_children()):
                    place.add_module(folder, nn.Module())
                place = place.get_submodule(folder)
            place.add_module(last, layer)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"layers: {name}: it cannot have this name: {error}") from error
        return name


def _named_layer(name: str, text: Any) -> nn.Module:
    try:
        return _layer(text)
    except (ValueError, TypeError, RuntimeError, KeyError, MemoryError, AssertionError) as error:
        raise ValueError(
            f"layers: {name}: found {str(text)!r:.200}, wanted a layer of torch.nn as "
            f"`Conv2d(1, 32, 3, padding=1)`: {error}"
        ) from error


def _layer(text: Any) -> nn.Module:
    if len(str(text)) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST:,} characters")
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

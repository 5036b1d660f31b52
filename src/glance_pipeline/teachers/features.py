"""Penultimate features of a network that is a plain ``nn.Module``: the input of one layer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

AnswerBoth = Callable[[Tensor], tuple[Any, Tensor | None]]
"""Maps normalised images (N, C, H, W) to outputs and penultimate features (N, F) or None."""


class WithFeatures(nn.Module, ABC):
    """A network that gives outputs and penultimate features by itself."""

    def forward(self, images: Tensor) -> Any:
        """Return the outputs for normalised ``images`` (N, C, H, W)."""
        return self.answer(images)[0]

    @abstractmethod
    def answer(self, images: Tensor) -> tuple[Any, Tensor | None]:
        """Return the outputs, and the features (N, F) or None where it has none."""


def answering(network: nn.Module, feature_layer: str | None) -> AnswerBoth:
    """Return how to have a network's outputs and penultimate features in one pass.

    A network ``WithFeatures`` gives both itself. Any other has its features read where they enter
    ``feature_layer``.

    Args:
        network: the classifier.
        feature_layer: dotted name of a module; None takes the last ``nn.Linear``.

    Raises:
        ValueError: where there is no such layer.
    """
    if isinstance(network, WithFeatures):
        return network.answer
    layer = _find(network, feature_layer)

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
        return said, seen[-1].flatten(1)

    return answer


def _find(network: nn.Module, name: str | None) -> nn.Module:
    modules = dict(network.named_modules())
    if name is not None:
        if name not in modules:
            raise ValueError(
                f"specification.feature_layer: the network has no module {name!r}; "
                f"it has {sorted(m for m in modules if m)}"
            )
        return modules[name]
    linear = [module for module in modules.values() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(
            "the network has no nn.Linear to take the penultimate features from: "
            "name the layer in specification.feature_layer"
        )
    return linear[-1]

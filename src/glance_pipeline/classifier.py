"""The teacher: the user's frozen classifier behind one small protocol."""

from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from glance_pipeline.images import in_batches


class ClassifierSpecification(BaseModel):
    """What a network does not say of itself.

    Attributes:
        image_shape: (channels, height, width) of its input.
        class_names: one name for each logit, in their order.
        mean: subtracted from images in [0, 1], one value per channel or one for all.
        std: what the difference is divided by.
        feature_layer: dotted name of the module whose *input* is the penultimate features φ(x);
            None takes the last ``nn.Linear``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    feature_layer: str | None = None


class Answer(NamedTuple):
    """What the teacher says of a batch: logits (N, K) and penultimate features (N, F)."""

    logits: Tensor
    features: Tensor


class Classifier(nn.Module):
    """A frozen classifier f with logits f(x) and penultimate features φ(x).

    It takes images as the rest of the project has them, float (N, C, H, W) in [−1, 1], and
    brings them into the network's own input range. Gradients flow through it to the images, none
    to its weights.

    Args:
        network: maps normalised images to logits (N, K).
        specification: input shape, class names, normalisation.

    Raises:
        ValueError: where no linear layer is found and none is named, or where the network's
            output does not fit the class names.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, specification: ClassifierSpecification) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.specification = specification
        self.register_buffer("mean", torch.tensor(specification.mean).view(1, -1, 1, 1), False)
        self.register_buffer("std", torch.tensor(specification.std).view(1, -1, 1, 1), False)
        self._feature_layer = _find_feature_layer(network, specification.feature_layer)
        self._check_output()

    def train(self, mode: bool = True) -> "Classifier":
        """Stay in evaluation mode: a teacher is frozen, its batch statistics too."""
        return super().train(False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each logit, in their order."""
        return self.specification.class_names

    def forward(self, images: Tensor) -> Answer:
        """Return logits (N, K) and penultimate features (N, F) of ``images`` in [−1, 1]."""
        seen: list[Tensor] = []
        hook = self._feature_layer.register_forward_pre_hook(
            lambda _module, inputs: seen.append(inputs[0])
        )
        try:
            logits = self.network((images.add(1.0).div(2.0) - self.mean) / self.std)
        finally:
            hook.remove()
        return Answer(logits, seen[-1].flatten(1))

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of ``images`` in [−1, 1]."""
        return self.network((images.add(1.0).div(2.0) - self.mean) / self.std)

    @torch.no_grad()
    def answers(self, images: np.ndarray) -> Answer:
        """Answer for a whole uint8 array (N, C, H, W), batch by batch, without gradients."""
        answers = [self(batch) for batch in in_batches(images)]
        logits, features = zip(*answers, strict=True)
        return Answer(torch.cat(logits), torch.cat(features))

    def _check_output(self) -> None:
        with torch.no_grad():
            logits = self.network(torch.zeros(1, *self.specification.image_shape))
        wanted = (1, len(self.class_names))
        if tuple(logits.shape) != wanted:
            raise ValueError(
                f"the classifier answers one image with an output of shape {tuple(logits.shape)}; "
                f"{wanted} was wanted: one logit for each of the class names {self.class_names}"
            )


def margins(logits: Tensor) -> Tensor:
    """Return the margin of each class, (N, K): its logit minus the largest of the others."""
    top = logits.topk(2, dim=1)
    best_other = torch.where(
        torch.arange(logits.shape[1], device=logits.device) == top.indices[:, :1],
        top.values[:, 1:],
        top.values[:, :1],
    )
    return logits - best_other


def in_quickest_layout(classifier: Classifier) -> Classifier:
    """Lay the weights out channels last, in place, where the network works with that; return it.

    Its convolutions then take half the time on a CPU. The values stay as they are. A network that
    reshapes features with ``view`` cannot read them in this layout and keeps its own.
    """
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.zeros(2, *classifier.specification.image_shape)
    try:
        with torch.no_grad():
            classifier.logits(images.contiguous(memory_format=torch.channels_last))
    except RuntimeError:
        classifier.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return classifier


def _find_feature_layer(network: nn.Module, name: str | None) -> nn.Module:
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

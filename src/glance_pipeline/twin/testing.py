"""Tiny networks for tests: seconds to build, every code path of the real ones."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.encoder import AnswerScale


class MomentNetwork(nn.Module):
    """A glass box: three logits that are known linear functions of simple image moments.

    With images x in [0, 1]: features are the mean, the left-right and the up-down balance;
    the logits are a linear map of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]]))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, 3)."""
        ramp = torch.linspace(-1, 1, images.shape[-1], device=images.device)
        moments = [images.mean((1, 2, 3)), (images * ramp).mean((1, 2, 3))]
        moments.append((images * ramp[:, None]).mean((1, 2, 3)))
        return self.linear(torch.stack(moments, 1))


def tiny_classifier(size: int = 8, channels: int = 1, **specified: Any) -> Classifier:
    """Return the glass box ``MomentNetwork`` as a teacher with classes ``a``, ``b``, ``c``.

    Args:
        size: height and width of its images.
        channels: channels of its images.
        specified: what else the specification says, as ``output``.
    """
    specification = ClassifierSpecification(
        image_shape=(channels, size, size), class_names=("a", "b", "c"), **specified
    )
    return Classifier(MomentNetwork(), specification)


def tiny_surrogate(size: int = 8, channels: int = 1, seed: int = 0) -> TwinSurrogate:
    """Return an untrained surrogate with aligned concepts ``size`` and ``tilt`` and one latent."""
    torch.manual_seed(seed)
    widths = {8: (8, 8), 16: (8, 8, 4), 32: (8, 8, 4, 4)}[size]
    shape = SurrogateShape((channels, size, size), 3, 3, 3, 4, widths, style=16, hidden=16)
    concepts = [
        Concept("size", "aligned", "px", mean=3.0, std=0.5),
        Concept("tilt", "aligned", "rad", mean=0.1, std=0.3),
        Concept("latent_1", "latent"),
    ]
    surrogate = TwinSurrogate(shape, concepts).eval()
    return surrogate.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


_GAIN = 0.07
"""Grey value in [0, 1] for one standard deviation of a glass-box concept; 2.5 sd stay in range."""


class GlassBoxSurrogate(TwinSurrogate):
    """A surrogate whose pictures are known functions of its three concepts.

    With images in [0, 1]: the mean is 0.5 + 0.07·u₁, and u₂, u₃ are the strength of a left-right
    and of an up-down ramp. Encoding reads the same moments back; 8-bit rounding costs up to
    0.03 sd.
    """

    def encode(self, images: Tensor) -> Codes:
        """Read the concepts off images (N, 1, H, W) in [−1, 1]; the residual code is 0."""
        concepts = _moments((images + 1) / 2)
        return Codes(concepts, torch.zeros(len(images), self.shape.residual))

    def generate(self, codes: Codes) -> Tensor:
        """Draw the images (N, 1, H, W) of codes."""
        size = self.shape.image_shape[1]
        ramp = torch.linspace(-1, 1, size)
        even, tilt, rise = (u.view(-1, 1, 1, 1) for u in codes.concepts.unbind(1))
        drawn = even.expand(-1, 1, size, size) + tilt * ramp + rise * ramp[:, None]
        return 2 * _GAIN * drawn


class FirstPixelsSurrogate(TwinSurrogate):
    """A glass box of any number of concepts: the first pixels are a third of their codes."""

    def encode(self, images: Tensor) -> Codes:
        """Read the concepts off images (N, C, H, W) in [−1, 1]; the residual code is 0."""
        concepts = images.flatten(1)[:, : self.shape.concepts] * 3
        return Codes(concepts, images.new_zeros(len(images), self.shape.residual))

    def generate(self, codes: Codes) -> Tensor:
        """Draw the images (N, C, H, W) of codes; every other pixel is grey."""
        drawn = codes.concepts.new_zeros(len(codes), *self.shape.image_shape)
        drawn.flatten(1)[:, : self.shape.concepts] = codes.concepts / 3
        return drawn


class GlassBoxNetwork(nn.Module):
    """A classifier that applies a known function to the concepts a glass-box picture shows."""

    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.features = nn.Linear(3, 3)  # what the teacher's features are taken from; not used
        self.answer = answer

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, H, W) in [0, 1] to logits (N, K)."""
        moments = _moments(images)
        self.features(moments)
        return self.answer(moments)


def glass_box(
    answer: Callable[[Tensor], Tensor],
    class_names: Sequence[str] = ("a", "b", "c"),
    size: int = 16,
    spread: Sequence[float] = (),
    **specified: Any,
) -> tuple[GlassBoxSurrogate, Classifier]:
    """Return a surrogate and a teacher of which everything is known.

    Args:
        answer: maps the concepts (N, 3), in standard deviations, to logits (N, K).
        class_names: K names.
        size: height and width of the pictures.
        spread: K standard deviations of the answers to training images, where these are numbers.
        specified: what else the specification says, as ``output``.

    Returns:
        The surrogate, with concepts ``shade`` (3 ± 0.5 px), ``tilt`` (0.1 ± 0.3 rad) and
        ``latent_1``, all between −2.5 and 2.5 sd; and the classifier f with f(G(u)) = answer(u).
    """
    widths = {8: (8, 8), 16: (8, 8, 4), 32: (8, 8, 4, 4)}[size]
    shape = SurrogateShape((1, size, size), len(class_names), 3, 3, 4, widths, style=16, hidden=16)
    concepts = [
        Concept("shade", "aligned", "px", mean=3.0, std=0.5),
        Concept("tilt", "aligned", "rad", mean=0.1, std=0.3),
        Concept("latent_1", "latent"),
    ]
    specification = ClassifierSpecification(
        image_shape=(1, size, size), class_names=tuple(class_names), **specified
    )
    scale = None
    if spread:
        of_logits = torch.stack([torch.zeros(len(spread)), torch.tensor(spread)])
        scale = AnswerScale(of_logits, torch.ones(2, 3))
    surrogate = GlassBoxSurrogate(shape, concepts, scale).eval()
    return surrogate, Classifier(GlassBoxNetwork(answer), specification)


def _moments(images: Tensor) -> Tensor:
    """Return the concepts (N, 3) of glass-box images in [0, 1]."""
    ramp = torch.linspace(-1, 1, images.shape[-1])
    power = _GAIN * ramp.square().mean()
    even = (images - 0.5).mean((1, 2, 3)) / _GAIN
    tilt = (images * ramp).mean((1, 2, 3)) / power
    rise = (images * ramp[:, None]).mean((1, 2, 3)) / power
    return torch.stack([even, tilt, rise], 1)

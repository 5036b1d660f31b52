"""Teachers that are not trained: known, differentiable functions of image moments.

Moments are taken of the squared grey levels, and less than black counts as black: a haze that no
eye sees, which a generator leaves on a thousand pixels, must not weigh as much as the strokes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.images.form import in_batches

_LITTLE = 1e-6  # keeps a moment of an empty image, and its gradient, finite

MARK_ROWS = slice(0, 2)
"""Rows, from the top, of a mark that moves; hardly a digit reaches them."""

CORNER = slice(2, 6)
"""Rows and columns of the square whose brightness is a mark; no digit reaches it."""


@dataclass(frozen=True)
class Term:
    """One summand of a teacher's margin.

    Attributes:
        weight: its factor.
        moments: names of the standardised moments that are multiplied with one another.
        saturating: whether the term is tanh(3/2 · product) instead of the product.
        kinked: whether it is max(0, product).
    """

    weight: float
    moments: tuple[str, ...]
    saturating: bool = False
    kinked: bool = False


def slant(images: Tensor) -> Tensor:
    """Return the slant (N,) in rad: arctan(−μ₁₁ / μ₀₂), the shear that would leave it upright.

    Args:
        images: (N, 1, H, W) in [0, 1].
    """
    grey = _squared(images) + _LITTLE
    rows = torch.arange(grey.shape[1], dtype=grey.dtype)
    columns = torch.arange(grey.shape[2], dtype=grey.dtype)
    by_row, by_column = grey.sum(2), grey.sum(1)
    mass = by_row.sum(1, keepdim=True)
    # Products and sums, no matrix products: those would run in bfloat16 while stages train.
    row = rows - (by_row * rows).sum(1, keepdim=True) / mass
    column = columns - (by_column * columns).sum(1, keepdim=True) / mass
    mixed = (grey * row[:, :, None] * column[:, None, :]).sum((1, 2))
    return torch.atan(-mixed / (by_row * row.square()).sum(1))


def intensity(images: Tensor) -> Tensor:
    """Return the grey level (N,) in [0, 1] that the strokes have: Σx³ / Σx².

    Edges count less than the inside of strokes: moved by one standard deviation, thickness
    changes it by 0.02.
    """
    squared = _squared(images)
    return (squared * images[:, 0]).sum((1, 2)) / (squared.sum((1, 2)) + _LITTLE)


def thickness(images: Tensor) -> Tensor:
    """Return about half the width (N,) of the strokes, px: mass over total variation, Σx²/Σ|∇x²|.

    A stroke of width t, length l and grey level i has mass t·l·i² and an outline of 2·l with a
    jump of i²: the ratio is t / 2. The gradient is Roberts's, over both diagonals, which depends
    least on a stroke's direction.
    """
    grey = nn.functional.pad(_squared(images), (1, 1, 1, 1))
    falling = grey[:, :-1, :-1] - grey[:, 1:, 1:]
    rising = grey[:, :-1, 1:] - grey[:, 1:, :-1]
    variation = ((falling.square() + rising.square()) / 2 + _LITTLE**2).sqrt().sum((1, 2))
    return grey.sum((1, 2)) / variation


def spread(images: Tensor) -> Tensor:
    """Return how far (N,) the mass is spread about its centre, px: √((μ₂₀ + μ₀₂) / μ₀₀)."""
    columns, rows = _profiles(images)
    return (_central(columns, 2) + _central(rows, 2)).sqrt()


def elongation(images: Tensor) -> Tensor:
    """Return how much wider (N,) than high the mass is spread: ½ log(μ₂₀ / μ₀₂)."""
    columns, rows = _profiles(images)
    return (_central(columns, 2) / _central(rows, 2)).log() / 2


def left_heaviness(images: Tensor) -> Tensor:
    """Return the skewness (N,) of the mass from left to right (positive: a tail right)."""
    columns, _ = _profiles(images)
    return _central(columns, 3) / _central(columns, 2) ** 1.5


def top_heaviness(images: Tensor) -> Tensor:
    """Return the skewness (N,) of the mass from top to bottom."""
    _, rows = _profiles(images)
    return _central(rows, 3) / _central(rows, 2) ** 1.5


def middle(images: Tensor) -> Tensor:
    """Return the share (N,) of the mass that lies in the innermost ninth of the image."""
    grey = _squared(images) + _LITTLE
    third = grey.shape[1] // 3
    inside = grey[:, third : 2 * third + 1, third : 2 * third + 1]
    return inside.sum((1, 2)) / grey.sum((1, 2))


def mark_place(images: Tensor) -> Tensor:
    """Return the mean column (N,), px, of what is bright in the two uppermost rows."""
    return _centre(_squared(images)[:, MARK_ROWS].sum(1) + _LITTLE)[:, 0]


def mark_light(images: Tensor) -> Tensor:
    """Return the mean grey level (N,), in [0, 1], of the square in the corner."""
    return images[:, 0, CORNER, CORNER].mean((1, 2))


def _profiles(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mass by column (N, W) and by row (N, H)."""
    grey = _squared(images) + _LITTLE
    return grey.sum(1), grey.sum(2)


def _centre(profile: Tensor) -> Tensor:
    """Return the mean place (N, 1) of a profile (N, W)."""
    places = torch.arange(profile.shape[1], dtype=profile.dtype)
    return (profile * places).sum(1, keepdim=True) / profile.sum(1, keepdim=True)


def _central(profile: Tensor, power: int) -> Tensor:
    """Return the central moment (N,) of a profile (N, W)."""
    places = torch.arange(profile.shape[1], dtype=profile.dtype) - _centre(profile)
    return (profile * places**power).sum(1) / profile.sum(1)


def _squared(images: Tensor) -> Tensor:
    """Return squared grey levels (N, H, W) of images (N, 1, H, W)."""
    return images[:, 0].clamp_min(0).square()


MOMENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "thickness": thickness,
    "intensity": intensity,
    "slant": slant,
    "spread": spread,
    "elongation": elongation,
    "left_heaviness": left_heaviness,
    "top_heaviness": top_heaviness,
    "middle": middle,
    "mark_place": mark_place,
    "mark_light": mark_light,
}


class Margin(nn.Module):
    """Logits (N, 2) = (−m/2, m/2), m a known function of standardised moments (N, F)."""

    scale: Tensor
    centre: Tensor

    def __init__(self, names: tuple[str, ...], terms: tuple[Term, ...]) -> None:
        super().__init__()
        self.names = names
        self.terms = terms
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("centre", torch.zeros(()))

    def raw(self, moments: Tensor) -> Tensor:
        """Return the sum (N,) of all terms."""
        total = torch.zeros(len(moments))
        for term in self.terms:
            value = moments[:, [self.names.index(name) for name in term.moments]].prod(1)
            if term.saturating:
                value = torch.tanh(1.5 * value)
            total = total + term.weight * (value.clamp_min(0) if term.kinked else value)
        return total

    def forward(self, moments: Tensor) -> Tensor:
        """Map standardised moments (N, F) to logits (N, 2)."""
        half = self.scale * (self.raw(moments) - self.centre) / 2
        return torch.stack([-half, half], 1)


class MomentTeacher(nn.Module):
    """A network whose penultimate features are standardised moments and whose margin is planted."""

    mean: Tensor
    std: Tensor

    def __init__(self, terms: tuple[Term, ...]) -> None:
        super().__init__()
        self.names = tuple(name for name in MOMENTS if any(name in term.moments for term in terms))
        self.answer = Margin(self.names, terms)
        self.register_buffer("mean", torch.zeros(len(self.names)))
        self.register_buffer("std", torch.ones(len(self.names)))

    def moments(self, images: Tensor) -> Tensor:
        """Return the moments (N, F) of images (N, 1, H, W) in [0, 1], in their own units."""
        return torch.stack([MOMENTS[name](images) for name in self.names], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, H, W) in [0, 1] to logits (N, 2)."""
        return self.answer((self.moments(images) - self.mean) / self.std)


def moment_teacher(terms: tuple[Term, ...], images: np.ndarray, margin: float) -> Classifier:
    """Plant a function of moments, and bring its margin into a sensible range.

    Args:
        terms: terms of the margin.
        images: uint8 (N, 1, H, W), on which moments are standardised.
        margin: standard deviation that the margin shall have over those images, in logits; its
            mean becomes 0.

    Returns:
        The teacher, with classes ``no`` and ``yes``.
    """
    network = MomentTeacher(terms)
    with torch.no_grad():
        seen = torch.cat([network.moments((batch + 1) / 2) for batch in in_batches(images)])
        network.mean.copy_(seen.mean(0))
        network.std.copy_(seen.std(0))
        raw = network.answer.raw((seen - network.mean) / network.std)
        network.answer.centre.copy_(raw.mean())
        network.answer.scale.copy_(margin / raw.std())
    shape = (images.shape[1], images.shape[2], images.shape[3])
    specification = ClassifierSpecification(
        image_shape=shape, class_names=("no", "yes"), feature_layer="answer"
    )
    return Classifier(network, specification)

"""Adaptive discriminator augmentation: a critic with few images must not learn them by heart."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.config.augmentation import AugmentationParameters


class AdaptiveAugmentation:
    """Random changes to all images a critic sees, the more often the more it overfits.

    Karras et al. 2020 (arXiv 2006.06676), §2 and §3: real and generated images alike pass through
    differentiable changes, each applied to an image with probability p. As long as p is well below
    1, the generator learns undamaged images. Overfitting is measured by r_t = E[sign D(x)] on real
    images (eq. 1); p is raised by a fixed amount where r_t is above the target, and lowered where
    it is below.

    Args:
        parameters: target, speed and strengths.

    Attributes:
        probability: p, 0 at the start.
    """

    def __init__(self, parameters: AugmentationParameters) -> None:
        self.parameters = parameters
        self.probability = 0.0
        self._signs = 0.0
        self._images = 0
        self._batches = 0

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed images (N, C, H, W), float32, channels last; the same ones where p = 0.

        Args:
            images: in [−1, 1]; the gradient flows through to them.
            generator: source of the draws.
        """
        if self.probability == 0.0:
            return images
        count, chosen = len(images), self.parameters

        def gated(amounts: Tensor) -> Tensor:
            chosen_images = torch.rand(count, generator=generator) < self.probability
            return (amounts * chosen_images).to(images.device)

        def normal(deviation: float) -> Tensor:
            return gated(deviation * torch.randn(count, generator=generator))

        def uniform(largest: float) -> Tensor:
            return gated(largest * (2 * torch.rand(count, generator=generator) - 1))

        across, down = uniform(chosen.translation), uniform(chosen.translation)
        zoom, angle = normal(chosen.scale), uniform(math.radians(chosen.rotation))
        with torch.autocast(images.device.type, enabled=False):
            images = move(images.float(), across, down, zoom.exp2(), angle)
            if images.shape[1] == 3:
                images = change_saturation(images, normal(chosen.saturation).exp2())
            images = images * _each(normal(chosen.contrast).exp2())
            images = images + _each(normal(chosen.brightness))
        return images.contiguous(memory_format=torch.channels_last)

    def observe(self, logits: Tensor) -> None:
        """Take the critic's logits (N,) on a batch of real images, and adapt p when it is due."""
        self._signs += float(logits.detach().sign().sum())
        self._images += len(logits)
        self._batches += 1
        if self._batches < self.parameters.update_every:
            return
        above = self._signs / self._images - self.parameters.target
        change = self._images / self.parameters.images_to_full
        change = math.copysign(change, above) if above else 0.0
        self.probability = min(
            max(self.probability + change, 0.0), self.parameters.largest_probability
        )
        self._signs, self._images, self._batches = 0.0, 0, 0

    def state_dict(self) -> dict[str, float]:
        """Return what a checkpoint must hold."""
        return {
            "probability": self.probability,
            "signs": self._signs,
            "images": self._images,
            "batches": self._batches,
        }

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take up what ``state_dict`` returned."""
        self.probability, self._signs = state["probability"], state["signs"]
        self._images, self._batches = int(state["images"]), int(state["batches"])


def move(images: Tensor, across: Tensor, down: Tensor, zoom: Tensor, angle: Tensor) -> Tensor:
    """Shift, zoom and turn images by bilinear sampling, mirrored beyond their edges.

    Args:
        images: float (N, C, H, W), H = W.
        across: shift to the right as a share of W, (N,).
        down: shift downwards as a share of H, (N,).
        zoom: about the centre, above 1 enlarges, (N,).
        angle: clockwise about the centre, in radians, (N,).
    """
    # The grid says for each place of the result where in the source to look: the inverse map.
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    right, below = 2 * across, 2 * down  # the grid runs from −1 to 1
    rows = [
        torch.stack([cos, sin, -cos * right - sin * below], 1),
        torch.stack([-sin, cos, sin * right - cos * below], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    same = (across == 0) & (down == 0) & (zoom == 1) & (angle == 0)
    return torch.where(_each(same), images, moved)


def change_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply the channels' distance from their mean by ``factor`` (N,); 0 makes images grey."""
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * _each(factor)


def _each(values: Tensor) -> Tensor:
    """Return values (N,) in a shape that meets (N, C, H, W)."""
    return values.view(-1, 1, 1, 1)

"""The two forms of an image: uint8 at rest, float in [−1, 1] at work."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

AT_ONCE = 256
"""Images that a network is shown at once, so that memory does not grow with their number."""


def to_float(images: np.ndarray | Tensor) -> Tensor:
    """Convert uint8 images to float32 in [−1, 1], in the ``channels_last`` memory format.

    Args:
        images: uint8, (N, C, H, W), values 0–255.
    """
    if isinstance(images, np.ndarray):
        images = torch.as_tensor(np.array(images, order="C"))
    return images.float().div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)


def to_uint8(images: Tensor) -> np.ndarray:
    """Convert float images (N, C, H, W) in [−1, 1] to uint8, rounding and clipping."""
    scaled = images.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).contiguous().cpu().numpy()


def in_batches(images: np.ndarray, size: int = AT_ONCE) -> Iterator[Tensor]:
    """Yield float batches, (≤ size, C, H, W) in [−1, 1], of uint8 ``images`` in their order."""
    for start in range(0, len(images), size):
        yield to_float(images[start : start + size])

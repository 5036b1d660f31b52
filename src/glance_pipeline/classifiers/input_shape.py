"""What a network takes, found by trying, where it does not take what it was said to."""

import torch
from torch import nn

_SIZES = (8, 16, 28, 32, 48, 64, 75, 84, 96, 112, 128, 160, 192, 224, 256, 299, 384)
"""Heights, and widths, that image classifiers are made for."""


@torch.no_grad()
def shapes_that_fit(network: nn.Module) -> list[tuple[int, int, int]]:
    """Return the usual input shapes (channels, height, width) that a network does not break on.

    Of a network that takes images of any size only the first are tried.

    Args:
        network: with gradients; a black box is not tried, its answers may cost something.
    """
    found: list[tuple[int, int, int]] = []
    for channels in (1, 3):
        for size in _SIZES:
            try:
                network(torch.zeros(1, channels, size, size))
            except Exception:  # whatever breaks, it does not fit
                continue
            found.append((channels, size, size))
            if len(found) >= 3:
                return found
    return found

"""Whether a network answers an image the same whenever, and beside whatever, it is asked.

An explanation compares answers to images that are asked about in batches of many sizes. A network
in training mode (batch statistics, dropout), one that counts what it was asked, or a service that
scales by the batch it is sent answers something else each time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from glance_pipeline.support.errors import UserError

_TWICE = 1e-3
"""Largest difference of two answers to one batch, in units of the answers' spread. Sums in another
order make about 1e-6 of it."""

_BESIDE = 1e-2
"""The same for one image alone and among others. Networks of 8 bits or with rounded answers come
close."""


@dataclass
class Beside:
    """How many images a network's answer was tried among.

    Attributes:
        largest: the largest batch in which an answer was compared with that to the image alone.
    """

    largest: int = 1


def plain_pictures(shape: tuple[int, int, int]) -> Tensor:
    """Return four different pictures in [−1, 1], (4, C, H, W), that every network can be asked.

    None is of one grey level, which a network may divide by the spread of. They differ in
    brightness and in colour as well as in form: what is scaled by the batch shows in each alone.

    Args:
        shape: (C, H, W).
    """
    channels, height, width = shape
    across = torch.linspace(-1, 1, width).expand(height, width)
    down = torch.linspace(1, -1, height)[:, None].expand(height, width)
    forms = torch.stack([across, down, across * down, (across + down) / 2])
    tint = torch.linspace(0.2, 0.6, channels)
    levels = torch.stack([0 * tint, -tint, tint, tint.flip(0) / 2])
    return (0.4 * forms[:, None] + levels[..., None, None]).contiguous()


def check_steady(alone: Tensor, together: Tensor, again: Tensor) -> None:
    """Raise if answers to one picture differ.

    Args:
        alone: to the last of N pictures, asked about alone: (1, …) or a single number.
        together: to all N pictures in one batch, (N, …).
        again: the same, asked once more.

    Raises:
        ValueError: saying both answers.
    """
    if not alike(again, together, _TWICE):
        difference = (again - together).abs().reshape(len(together), -1).amax(1)
        row = int(difference.argmax())
        raise ValueError(
            "the classifier answers the same images differently when it is asked again: found "
            f"{_said(together[row])} and then {_said(again[row])}; an explanation needs one answer "
            "for an image: was it exported in training mode (dropout), does it draw at random, or "
            "does it change with each question?"
        )
    check_beside_others(alone, together)


def check_beside_others(alone: Tensor, together: Tensor, origin: str = "the classifier") -> None:
    """Raise if the last of a batch of N images is answered differently when it is alone.

    Args:
        alone: the answer to it alone, (1, …) or a single number.
        together: the answers to the batch, (N, …).
        origin: what messages call the network.

    Raises:
        UserError: saying both answers.
    """
    if not alike(alone.reshape(together[-1:].shape), together[-1:], _BESIDE, together):
        raise UserError(
            f"{origin} answers an image differently beside {len(together) - 1} others: found "
            f"{_said(together[-1])} and {_said(alone)} alone; was it exported in training mode "
            "(dropout, batch statistics), or does it scale by the batch?"
        )


def alike(
    found: Tensor, wanted: Tensor, tolerance: float = _BESIDE, among: Tensor | None = None
) -> bool:
    """Return whether two tensors of answers are equal but for rounding.

    Args:
        found: of any shape.
        wanted: of the same shape.
        tolerance: in units of the answers' spread.
        among: answers that the spread is taken over; ``wanted`` if None.
    """
    if found.shape != wanted.shape:
        return False
    found, wanted, among = (
        part.detach().float().cpu() for part in (found, wanted, wanted if among is None else among)
    )
    spread = float(among.max() - among.min())
    most = tolerance * spread + 1e-5 * float(among.abs().max()) + 1e-6
    return bool((found - wanted).abs().max() <= most)


def _said(answer: Tensor) -> list[float]:
    return [round(value, 4) for value in answer.detach().flatten()[:6].tolist()]

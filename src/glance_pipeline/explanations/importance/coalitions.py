"""Shapley values from the worth of coalitions: of all of them, or along sampled permutations.

A game says which rows (members, and the code that stands for everything else) have to be drawn,
the same for every image, and turns what the teacher says of them into Shapley values. The coalition
of all players is not drawn: it is the reconstruction, whose answer is known, and the values sum to
that answer minus the baseline by construction.
"""

from math import factorial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from glance_pipeline.explanations.importance.background import Background
from glance_pipeline.support.seeding import numpy_generator


class Solution(NamedTuple):
    """Shapley values of N images and P players, all float64.

    Attributes:
        values: (N, P).
        errors: their standard errors, (N, P); 0 where exact.
        baselines: worth of nobody, (N,).
    """

    values: Tensor
    errors: Tensor
    baselines: Tensor


class Game(Protocol):
    """What has to be drawn for an image, and what follows from it.

    Attributes:
        background: codes that stand for "not known".
        members: players that have joined, bool (R, P).
        others: code that stands for the rest, (R, D).
    """

    background: Background
    members: Tensor
    others: Tensor

    def solve(self, worth: Tensor, full: Tensor) -> Solution:
        """Return Shapley values.

        Args:
            worth: of the rows, for N images, float64 (N, R).
            full: worth of all players together, float64 (N,).
        """


class AllCoalitions:
    """Every coalition on every background code: exact, 2^P · B pictures per image.

    Args:
        background: B codes.
        size: number P of players.
    """

    def __init__(self, background: Background, size: int) -> None:
        self.background = background
        self.size = size
        coalition = torch.arange(2**size)
        self._member = (coalition[:, None] >> torch.arange(size)) & 1 == 1  # (2^P, P)
        self.members = self._member[:-1].repeat_interleave(len(background), 0)
        self.others = background.values.repeat(2**size - 1, 1)

    def solve(self, worth: Tensor, full: Tensor) -> Solution:
        """Return Shapley values, see ``Game``."""
        rows = worth.view(len(worth), -1, len(self.background)) @ self.background.weights
        worths = torch.cat([rows, full[:, None]], 1)  # (N, 2^P)
        values = worths @ self._weights().T
        return Solution(values, torch.zeros_like(values), worths[:, 0])

    def _weights(self) -> Tensor:
        """Return what each coalition's worth counts for each player's value, (P, 2^P)."""
        size, count = self.size, self._member.sum(1)
        joined = torch.tensor(
            [factorial(s) * factorial(size - s - 1) / factorial(size) for s in range(size)] + [0.0],
            dtype=torch.float64,
        )
        with_it, without = joined[(count - 1).clamp_min(0)], -joined[count]
        return torch.where(self._member, with_it[:, None], without[:, None]).T


class Permutations:
    """Players join in random orders, each order forwards and backwards on one background code.

    Args:
        background: codes, of equal weight; used in turn, one a pair, so that each has about the
            same share of the baseline. Of more codes than pairs the first are used.
        size: number P of players.
        number: number of permutations, even; a pair of them is the independent draw.
        seed: seed of the orders, which are the same for every image, so that an image's result
            depends on no other image.
        stream: name of the stream they are drawn from.
    """

    def __init__(
        self,
        background: Background,
        size: int,
        number: int,
        seed: int,
        stream: str = "permutations",
    ) -> None:
        self.size = size
        self.pairs = number // 2
        self.background = Background.even(background.values[: self.pairs])
        generator = numpy_generator(seed, "importance", stream)
        forwards = [generator.permutation(size).tolist() for _ in range(self.pairs)]
        orders = torch.tensor([[order, order[::-1]] for order in forwards])  # (pairs, 2, P)
        self._place = orders.argsort(2)  # when each player joins
        # Nobody once for both walks, then 1 … P − 1 players of each.
        joined = self._place[:, :, None, :] < torch.arange(1, size)[:, None]
        nobody = torch.zeros(self.pairs, 1, size, dtype=torch.bool)
        self.members = torch.cat([nobody, joined.flatten(1, 2)], 1).flatten(0, 1)
        used = self.background.values[torch.arange(self.pairs) % len(self.background)]
        self.others = used.repeat_interleave(1 + 2 * (size - 1), 0)

    def solve(self, worth: Tensor, full: Tensor) -> Solution:
        """Return Shapley values, see ``Game``."""
        return self._average(*self._walk(worth, full))

    def solve_with(
        self, worth: Tensor, full: Tensor, known: Tensor, known_full: Tensor, truth: Solution
    ) -> Solution:
        """Return Shapley values with less chance in them, by a game of which more is known.

        A control variate: what this sample gets wrong of a similar game it gets wrong of this one
        too, in proportion. The factor is that of least squares over all pairs and players, so that
        a game that is not similar does no harm; the standard errors are those of what is left.

        Args:
            worth: of the rows, for N images, float64 (N, R).
            full: worth of all players together, float64 (N,).
            known: of the rows in the similar game, float64 (N, R).
            known_full: of all players in the similar game, float64 (N,).
            truth: the similar game's own values.
        """
        gains, nobody = self._walk(worth, full)
        similar, similar_nobody = self._walk(known, known_full)
        apart = similar - similar.mean(1, keepdim=True)
        size = apart.square().sum((1, 2))
        factor = torch.where(size > 0, (apart * gains).sum((1, 2)) / size, 0.0)
        off = similar - truth.values[:, None]
        off_nobody = similar_nobody - truth.baselines[:, None]
        left = self._average(
            gains - factor[:, None, None] * off, nobody - factor[:, None] * off_nobody
        )
        return left._replace(errors=torch.hypot(left.errors, factor[:, None] * truth.errors))

    def _walk(self, worth: Tensor, full: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each player brings, (N, pairs, P), and the worth of nobody, (N, pairs)."""
        images = len(worth)
        rows = worth.view(images, self.pairs, -1)
        nobody = rows[:, :, :1, None].expand(-1, -1, 2, -1)
        between = rows[:, :, 1:].unflatten(2, (2, self.size - 1))
        everybody = full.view(-1, 1, 1, 1).expand(-1, self.pairs, 2, -1)
        steps = torch.cat([nobody, between, everybody], 3).diff(dim=3)  # (N, pairs, 2, P)
        return steps.gather(3, self._place.expand(images, -1, -1, -1)).mean(2), rows[:, :, 0]

    def _average(self, gains: Tensor, nobody: Tensor) -> Solution:
        errors = gains.std(1) / self.pairs**0.5
        return Solution(gains.mean(1), errors, nobody.mean(1))

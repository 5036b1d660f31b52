"""What sending one more concept to a bound would do."""

from dataclasses import dataclass

import torch
from torch import Tensor

from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape


@dataclass(frozen=True)
class OneMore:
    """R candidates, each with one more concept at either of its bounds.

    Attributes:
        start: the candidates without it.
        bounds: the moves that lead to the bounds, (R, 2, D), the lower bound first.
        leads: of the wanted class after each, (R, 2, D); −∞ where the concept has no room, or
            moves already, or another level of its feature does.
    """

    start: Candidates
    bounds: Tensor
    leads: Tensor

    @property
    def suffices(self) -> Tensor:
        """Whether the concept brings the wanted answer at one bound or the other, bool (R, D)."""
        return (self.leads > ENOUGH).any(1)

    def sufficient(self) -> Candidates:
        """Return all that bring the wanted answer."""
        return self.move(*(self.leads > ENOUGH).nonzero(as_tuple=True))

    def move(self, row: Tensor, side: Tensor, concept: Tensor) -> Candidates:
        """Return the candidates of these rows, (T,), with the concept moved to the bound."""
        moved = self.start[row]
        moved.moves[torch.arange(len(row)), concept] = self.bounds[row, side, concept]
        return moved


def send_to_bounds(landscape: Landscape, start: Candidates) -> OneMore:
    """Send every concept that R candidates do not move to each of its bounds, one at a time."""
    bounds = landscape.bounds_of(start.owner)
    possible = landscape.unmoved(start)[:, None] & (bounds != 0)
    outcome = OneMore(start, bounds, torch.full(bounds.shape, -torch.inf))
    row, side, concept = possible.nonzero(as_tuple=True)
    outcome.leads[row, side, concept] = landscape.estimates(outcome.move(row, side, concept))
    return outcome

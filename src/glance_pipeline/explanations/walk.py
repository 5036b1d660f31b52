"""Walks along the slope of the teacher's lead, through classifier and generator, few concepts each.

A step is as long as the linear model asks for, as in DeepFool (Moosavi-Dezfooli et al. 2016, arXiv
1511.04599), but no longer than it can be trusted.
"""

import torch
from torch import Tensor

from glance_pipeline.config.explain import SearchParameters
from glance_pipeline.explanations.attfind import send_to_bounds
from glance_pipeline.explanations.landscape import ENOUGH, Candidates, Landscape
from glance_pipeline.explanations.shortening import drop_needless

# Steepest ascent under the p-norm moves by sign(g)·|g|^(q−1), 1/p + 1/q = 1. p = 1 would move one
# concept only, p = 2 all of them; p = 4/3 (q = 4) moves few.
_SHARPNESS = 3.0

# The linear model's own length ends just short of the border as often as not.
_OVERSHOOT = 1.1


class GradientWalks:
    """The strategy of the search for counterfactuals that follows the gradient.

    Args:
        number: of sets of concepts that are looked for.
        parameters: of the walks.
    """

    def __init__(self, number: int, parameters: SearchParameters) -> None:
        self.number = number
        self.parameters = parameters

    def propose(self, landscape: Landscape, images: Tensor) -> Candidates:
        """Return changes after which the teacher probably says what is wanted.

        Args:
            landscape: of N images.
            images: numbers of those that are searched for, (N′,).
        """
        nothing = landscape.nothing(images)
        bounds, leads = send_to_bounds(landscape, nothing)
        row, side, concept = (leads > ENOUGH).nonzero(as_tuple=True)
        alone = nothing[row]
        alone.moves[torch.arange(len(row)), concept] = bounds[row, side, concept]
        free = ~(leads > ENOUGH).any(1)
        missing = self.number - (~free).sum(1)
        found = [alone]
        for _ in range(self.number):
            rows = (missing > 0).nonzero().flatten()
            if not len(rows):
                break
            ends, reached = self.walk(landscape, images[rows], free[rows])
            rank = ends.moves.abs().argsort(1, descending=True).argsort(1)
            few, few_reached = [], []
            for most in (2, 3):
                a, b = self.walk(landscape, images[rows], free[rows] & (rank < most))
                few.append(a)
                few_reached.append(b)
            any_few = few_reached[0] | few_reached[1]
            found += [few[0][few_reached[0]], drop_needless(landscape, few[1][few_reached[1] & ~few_reached[0]])]
            found.append(drop_needless(landscape, ends[reached & ~any_few]))
            got = any_few | reached
            free[rows, rank.argmin(1)] = False
            missing[rows] = torch.where(got, missing[rows] - 1, 0)
        return Candidates.concatenate(found)

    def walk(
        self, landscape: Landscape, owner: Tensor, allowed: Tensor
    ) -> tuple[Candidates, Tensor]:
        """Walk uphill from each image until the teacher probably says what is wanted.

        Args:
            landscape: of N images.
            owner: image of each walk, (R,).
            allowed: which concepts it may move, bool (R, D).

        Returns:
            Where each walk ended, and whether it got there, bool (R,).
        """
        ends = landscape.nothing(owner)
        reached = torch.zeros(len(owner), dtype=torch.bool)
        walking = torch.arange(len(owner))
        for _ in range(self.parameters.walk_steps):
            if not len(walking):
                break
            now = ends[walking]
            lead, slope = landscape.slopes(now)
            reached[walking] = lead > ENOUGH
            onward = lead <= ENOUGH
            walking, now, lead, slope = walking[onward], now[onward], lead[onward], slope[onward]
            low, high = landscape.lowest[now.owner], landscape.highest[now.owner]
            blocked = ((slope > 0) & (now.moves >= high)) | ((slope < 0) & (now.moves <= low))
            slope = slope.masked_fill(blocked | ~allowed[walking], 0.0)
            slope = landscape.only_one_level(slope, now.moves)
            steepest = slope.abs().amax(1, keepdim=True)
            stride = (slope / steepest.clamp_min(1e-20)).abs().pow(_SHARPNESS) * slope.sign()
            gain = (slope * stride).sum(1, keepdim=True).clamp_min(1e-20)
            length = ((ENOUGH - lead[:, None]) * _OVERSHOOT / gain + 0.02).clamp(max=self.parameters.step)
            ends.moves[walking] = (now.moves + length * stride).clamp(low, high)
            walking = walking[steepest.flatten() > 0]
        reached[walking] = landscape.estimates(ends[walking]) > ENOUGH
        return ends, reached

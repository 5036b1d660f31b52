"""Walks along the slope of the teacher's lead, through classifier and generator, few concepts each.

A walk begins with one concept at a bound, of those that bring the teacher closest to the wanted
answer, and goes on along the gradient. A step is as long as the linear model asks for, as in
DeepFool (Moosavi-Dezfooli et al. 2016, arXiv 1511.04599), but no longer than it can be trusted.
"""

import torch
from torch import Tensor

from glance_pipeline.config.explain import CounterfactualSearchParameters
from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape
from glance_pipeline.explanations.counterfactuals.one_bound import send_to_bounds
from glance_pipeline.explanations.counterfactuals.shortening import drop_needless

# Steepest ascent under the p-norm moves by sign(g)·|g|^(q−1), 1/p + 1/q = 1. p = 1 would move one
# concept only, p = 2 all of them; p = 4/3 (q = 4) moves few.
_SHARPNESS = 3.0

# Slopes below this share of the steepest move nothing: what hardly helps should stay as it is.
_FLAT = 0.8

# The linear model's own length ends just short of the border as often as not.
_OVERSHOOT = 1.1
_SHORTEST = 0.02


class GradientWalks:
    """The strategy of the search for counterfactuals that follows the gradient.

    Args:
        number: number of sets of concepts that are looked for.
        parameters: parameters of the walks.
    """

    def __init__(self, number: int, parameters: CounterfactualSearchParameters) -> None:
        self.number = number
        self.parameters = parameters

    def propose(self, landscape: Landscape, images: Tensor) -> Candidates:
        """Return changes after which the teacher probably says what is wanted.

        Args:
            landscape: landscape of N images.
            images: numbers of those that are searched for, (N′,).
        """
        first = send_to_bounds(landscape, landscape.nothing(images))
        suffices = first.suffices
        lacking = (suffices.sum(1) < self.number).nonzero().flatten()
        # A set that holds a concept which suffices by itself is no new one.
        lead, side = first.leads[lacking].max(1)
        lead = lead.masked_fill(suffices[lacking], -torch.inf)
        best, concept = lead.topk(min(self.parameters.starts, landscape.size), 1)
        row, place = best.isfinite().nonzero(as_tuple=True)
        concept = concept[row, place]
        starts = first.move(lacking[row], side[row, concept], concept)
        ends, reached = self.walk(landscape, starts, ~suffices[lacking[row]])
        sparse = drop_needless(landscape, ends[reached])
        return Candidates.concatenate([first.sufficient(), sparse])

    def walk(
        self, landscape: Landscape, starts: Candidates, allowed: Tensor
    ) -> tuple[Candidates, Tensor]:
        """Walk uphill until the teacher probably says what is wanted.

        Args:
            landscape: landscape of N images.
            starts: where R walks begin.
            allowed: which concepts each may move, bool (R, D).

        Returns:
            Where each walk ended, and whether it got there, bool (R,).
        """
        ends = Candidates(starts.owner, starts.moves.clone())
        reached = torch.zeros(len(starts), dtype=torch.bool)
        walking = torch.arange(len(starts))
        for _ in range(self.parameters.walk_steps):
            lead, slope = landscape.slopes(ends[walking])
            reached[walking] = lead > ENOUGH
            onward = lead <= ENOUGH
            walking, lead, slope = walking[onward], lead[onward], slope[onward]
            if not len(walking):
                break
            now = ends[walking]
            low, high = landscape.lowest[now.owner], landscape.highest[now.owner]
            blocked = ((slope > 0) & (now.moves >= high)) | ((slope < 0) & (now.moves <= low))
            slope = slope.masked_fill(blocked | ~allowed[walking], 0.0)
            stride = self._stride(lead, landscape.only_one_level(slope, now.moves))
            ends.moves[walking] = (now.moves + stride).clamp(low, high)
            walking = walking[(stride != 0).any(1)]
        reached[walking] = landscape.estimates(ends[walking]) > ENOUGH
        return ends, reached

    def _stride(self, lead: Tensor, slope: Tensor) -> Tensor:
        """Return the step (R, D) that the linear model asks for, its longest part bounded."""
        steepness = slope.abs() / slope.abs().amax(1, keepdim=True).clamp_min(1e-20)
        shape = steepness.pow(_SHARPNESS) * (steepness >= _FLAT) * slope.sign()
        gain = (slope * shape).sum(1).clamp_min(1e-20)
        length = _OVERSHOOT * (ENOUGH - lead) / gain
        return length.clamp(_SHORTEST, self.parameters.step)[:, None] * shape

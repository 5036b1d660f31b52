"""AttFind: concepts sent to their bounds one after the other, whichever helps most first.

The search of StylEx (Lang et al. 2021, arXiv 2104.13369, Algorithm 1) in concept space, for each
image by itself: Δ[s, d], what sending coordinate s to its bound in direction d does, is measured
for every s and d; the largest joins the set S; the image leaves once the teacher's answer is the
one wanted. After each choice Δ is measured again on top of what was chosen, which is the paper's
"subset" selection; its "independent" one orders by the first Δ alone. Three things are our own: Δ
is taken of the lead of the wanted class, not of its probability, since there may be more than two
classes; the bounds are widened to the image's own value; and the search is repeated without the
concept that a set began with, to find sets that differ.
"""

import torch
from torch import Tensor

from glance_pipeline.explanations.landscape import ENOUGH, Candidates, Landscape


def send_to_bounds(landscape: Landscape, start: Candidates) -> tuple[Tensor, Tensor]:
    """Send every concept that ``start`` does not move to each of its bounds, one at a time.

    Args:
        landscape: of the images.
        start: R candidates; one moves at most one level of a categorical feature.

    Returns:
        The moves tried, (R, 2, D) with the lower bound first, and the lead after each beside what
        ``start`` moves, (R, 2, D): −∞ where the concept has no room, or moves already, or
        another level of its feature does.
    """
    bounds = torch.stack([landscape.lowest[start.owner], landscape.highest[start.owner]], 1)
    open_to = landscape.unmoved(start)[:, None] & (bounds != 0)
    row, side, concept = open_to.nonzero(as_tuple=True)
    trial = start[row]
    trial.moves[torch.arange(len(row)), concept] = bounds[row, side, concept]
    leads = torch.full(bounds.shape, -torch.inf)
    leads[row, side, concept] = landscape.estimates(trial)
    return bounds, leads


class AttFind:
    """The greedy strategy of the search for counterfactuals.

    Args:
        number: of sets of concepts that are looked for.
        largest: most concepts in a set.
    """

    def __init__(self, number: int, largest: int) -> None:
        self.number = number
        self.largest = largest

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
        # A set that holds a concept which suffices by itself is no new one.
        barred = (leads > ENOUGH).any(1)
        missing = self.number - barred.sum(1)
        found = [alone]
        for _ in range(self.number):
            rows = (missing > 0).nonzero().flatten()
            if not len(rows):
                break
            leads_left = leads[rows].masked_fill(barred[rows][:, None], -torch.inf)
            grown, first, reached = self._grow(landscape, nothing[rows], leads_left, barred[rows])
            found.append(grown[reached])
            barred[rows, first] = True
            missing[rows] = torch.where(reached, missing[rows] - 1, 0)
        return Candidates.concatenate(found)

    def _grow(
        self, landscape: Landscape, start: Candidates, leads: Tensor, barred: Tensor
    ) -> tuple[Candidates, Tensor, Tensor]:
        """Add concepts to each of R empty sets until the teacher says what is wanted.

        Returns:
            The changes, the concept that each began with, (R,), and whether it got there, (R,).
        """
        grown = Candidates(start.owner, start.moves.clone())
        first = leads.amax(1).argmax(1)
        reached = torch.zeros(len(start), dtype=torch.bool)
        growing = torch.arange(len(start))
        lead = landscape.estimates(start)
        for size in range(self.largest):
            if size:
                _, leads = send_to_bounds(landscape, grown[growing])
                leads = leads.masked_fill(barred[growing][:, None], -torch.inf)
            best, place = leads.flatten(1).max(1)
            better = best > lead[growing]
            growing, best, place = growing[better], best[better], place[better]
            if not len(growing):
                break
            side, concept = place // landscape.size, place % landscape.size
            owner = grown.owner[growing]
            bound = torch.where(
                side == 0, landscape.lowest[owner, concept], landscape.highest[owner, concept]
            )
            grown.moves[growing, concept] = bound
            lead[growing] = best
            reached[growing] = best > ENOUGH
            growing = growing[best <= ENOUGH]
        return grown, first, reached

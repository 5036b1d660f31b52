"""AttFind: concepts sent to their bounds one after the other, whichever helps most first.

The search of StylEx (Lang et al. 2021, arXiv 2104.13369, Algorithm 1) in concept space, for each
image by itself: Δ[s, d], what sending coordinate s to its bound in direction d does, is measured
for every s and d; the largest joins the set S; the image leaves once the teacher's answer is the
one wanted. After each choice Δ is measured again on top of what was chosen, which is the paper's
"subset" selection; its "independent" one orders by the first Δ alone. Four things are our own: Δ
is taken of the lead of the wanted class over the best other, since there may be more than two
classes; the bounds are widened to the image's own value; the search is repeated without the concept
that a set began with, to find sets that differ; and what has become needless is taken back.
"""

import torch
from torch import Tensor

from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape
from glance_pipeline.explanations.counterfactuals.one_bound import send_to_bounds
from glance_pipeline.explanations.counterfactuals.shortening import drop_needless


class AttFind:
    """The greedy strategy of the search for counterfactuals.

    Args:
        number: number of sets of concepts that are looked for.
        largest: most concepts in a set.
    """

    def __init__(self, number: int, largest: int) -> None:
        self.number = number
        self.largest = largest

    def propose(self, landscape: Landscape, images: Tensor) -> Candidates:
        """Return changes after which the teacher probably says what is wanted.

        Args:
            landscape: landscape of N images.
            images: numbers of those that are searched for, (N′,).
        """
        nothing = landscape.nothing(images)
        first = send_to_bounds(landscape, nothing)
        found = [landscape.nothing(images[:0])]
        # A set that holds a concept which suffices by itself is no new one.
        barred = first.suffices
        missing = self.number - barred.sum(1)
        for _ in range(self.number):
            rows = (missing > 0).nonzero().flatten()
            if not len(rows):
                break
            leads = first.leads[rows].masked_fill(barred[rows][:, None], -torch.inf)
            grown, reached = self._grow(landscape, nothing[rows], leads, barred[rows])
            found.append(grown[reached])
            barred[rows, leads.amax(1).argmax(1)] = True
            missing[rows] = torch.where(reached, missing[rows] - 1, 0)
        # What joined early may have become needless.
        sets = drop_needless(landscape, Candidates.concatenate(found))
        return Candidates.concatenate([first.sufficient(), sets])

    def _grow(
        self, landscape: Landscape, start: Candidates, leads: Tensor, barred: Tensor
    ) -> tuple[Candidates, Tensor]:
        """Add concepts to each of R empty sets until the teacher says what is wanted.

        Args:
            landscape: landscape of the images.
            start: the empty sets.
            leads: Δ of the first choice, (R, 2, D).
            barred: which concepts must stay, bool (R, D).

        Returns:
            The changes, and whether each got there, bool (R,).
        """
        grown = Candidates(start.owner, start.moves.clone())
        reached = torch.zeros(len(start), dtype=torch.bool)
        growing = torch.arange(len(start))
        lead = landscape.estimates(start)
        for size in range(self.largest):
            if size:
                tried = send_to_bounds(landscape, grown[growing])
                leads = tried.leads.masked_fill(barred[growing][:, None], -torch.inf)
            best, place = leads.flatten(1).max(1)
            better = best > lead[growing]
            growing, best, place = growing[better], best[better], place[better]
            if not len(growing):
                break
            side, concept = place // landscape.size, place % landscape.size
            bounds = landscape.bounds_of(grown.owner[growing])
            grown.moves[growing, concept] = bounds[torch.arange(len(growing)), side, concept]
            lead[growing] = best
            reached[growing] = best > ENOUGH
            growing = growing[best <= ENOUGH]
        return grown, reached

"""The teacher's margin over concept space, and the moves a search makes in it.

Everything here works on many images and many candidates of each at once. Lengths are in standard
deviations, over the active concepts alone; the bounds are each concept's range over the training
images, widened to the image's own value where that lies outside. Of a categorical feature a change
moves one level; the others take up the difference (``TwinSurrogate.intervene``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from glance_pipeline.classifier import Classifier
from glance_pipeline.explanations.intervention import Intervention
from glance_pipeline.explanations.subjects import draw
from glance_pipeline.networks import Codes, TwinSurrogate
from glance_pipeline.networks.concept import by_feature

# Steepest ascent under the p-norm moves by sign(g)·|g|^(q−1), 1/p + 1/q = 1. p = 1 would move one
# concept only, p = 2 all of them; p = 4/3 (q = 4) moves few.
_SHARPNESS = 3.0

# Lead in logits that counts as reached. A pixel may round to the next grey level in a batch of
# another size; what is kept must survive that.
_ENOUGH = 0.01


@dataclass(frozen=True)
class Candidates:
    """R changes of concepts.

    Attributes:
        owner: which image each belongs to, (R,).
        moves: the change of each active concept in standard deviations, (R, D).
    """

    owner: Tensor
    moves: Tensor

    def __getitem__(self, rows: Any) -> "Candidates":
        """Select candidates."""
        return Candidates(self.owner[rows], self.moves[rows])

    @classmethod
    def concatenate(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """Put candidates one after the other."""
        return cls(torch.cat([p.owner for p in parts]), torch.cat([p.moves for p in parts]))


class Landscape:
    """What the teacher says around N images.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        codes: of the N images.
        wanted: which answers count for each image, bool (N, K).
        intervention: what becomes of the codes when concepts are set.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        codes: Codes,
        wanted: Tensor,
        intervention: Intervention,
    ) -> None:
        self.surrogate = surrogate
        self.intervene = intervention
        self.classifier = classifier
        self.codes = codes
        self.wanted = wanted
        self.names = surrogate.active_concepts
        self.values = torch.stack([surrogate.read(codes, name) for name in self.names], 1)
        concepts = [surrogate.concept(name) for name in self.names]
        low = torch.tensor([c.low for c in concepts]).minimum(self.values)
        high = torch.tensor([c.high for c in concepts]).maximum(self.values)
        self.lowest, self.highest = low - self.values, high - self.values
        self._levels = [members for members in by_feature(concepts).values() if len(members) > 1]

    @property
    def size(self) -> int:
        """Number D of active concepts."""
        return len(self.names)

    def codes_of(self, candidates: Candidates) -> Codes:
        """Return the codes (R) after the candidates' moves."""
        values = self.values[candidates.owner] + candidates.moves
        columns = dict(zip(self.names, values.unbind(1), strict=True))
        moved = dict(zip(self.names, (candidates.moves != 0).unbind(1), strict=True))
        return self.intervene(self.codes[candidates.owner], columns, moved)

    def margins(self, candidates: Candidates) -> Tensor:
        """Return how far the best wanted class leads the best other, (R,), on 8-bit pictures."""
        if not len(candidates.owner):
            return torch.zeros(0)
        _, logits = draw(self.surrogate, self.classifier, self.codes_of(candidates))
        return self._lead(logits, candidates.owner)

    def each_alone(self, images: Tensor, grid: int) -> Candidates:
        """Try every concept alone on a grid between its bounds; return the shortest that reach.

        Args:
            images: whose numbers, (N′,).
            grid: number of values tried.
        """
        spots = torch.linspace(0, 1, grid)
        low, high = self.lowest[images, :, None], self.highest[images, :, None]
        tried = low + (high - low) * spots  # (N′, D, grid)
        moves = torch.diag_embed(tried.transpose(1, 2))  # (N′, grid, D, D), one concept each
        owner = images.repeat_interleave(grid * self.size)
        everything = Candidates(owner, moves.reshape(-1, self.size))
        reached = (self.margins(everything) > _ENOUGH).view(len(images), grid, self.size)
        length = torch.where(reached, tried.abs().transpose(1, 2), torch.inf)
        shortest, spot = length.min(1)
        image, concept = shortest.isfinite().nonzero(as_tuple=True)
        return Candidates(images[image], moves[image, spot[image, concept], concept])

    def walk(
        self, owner: Tensor, allowed: Tensor, steps: int, step: float
    ) -> tuple[Candidates, Tensor]:
        """Walk uphill from each image until the teacher says what is wanted.

        Args:
            owner: image of each walk, (R,).
            allowed: which concepts it may move, bool (R, D).
            steps: most steps.
            step: length of a step in the concept that moves most.

        Returns:
            Where each walk ended, and whether it got there, bool (R,).
        """
        moves = torch.zeros(len(owner), self.size)
        reached = torch.zeros(len(owner), dtype=torch.bool)
        walking = torch.arange(len(owner))
        for _ in range(steps):
            if not len(walking):
                break
            now = Candidates(owner[walking], moves[walking])
            lead, slope = self._lead_and_slope(now)
            close = walking[lead > _ENOUGH]
            reached[close] = self.margins(Candidates(owner[close], moves[close])) > _ENOUGH
            onward = ~reached[walking]
            walking, now, slope = walking[onward], now[onward], slope[onward]
            slope = slope * allowed[walking]
            low, high = self.lowest[now.owner], self.highest[now.owner]
            blocked = ((slope > 0) & (now.moves >= high)) | ((slope < 0) & (now.moves <= low))
            slope = self._one_level(slope.masked_fill(blocked, 0.0), now.moves)
            steepest = slope.abs().amax(1, keepdim=True)
            stride = (slope / steepest.clamp_min(1e-20)).abs().pow(_SHARPNESS) * slope.sign()
            moves[walking] = (now.moves + step * stride).clamp(low, high)
            walking = walking[steepest.flatten() > 0]
        reached[walking] = self.margins(Candidates(owner[walking], moves[walking])) > _ENOUGH
        return Candidates(owner, moves), reached

    def drop_needless(self, candidates: Candidates) -> Candidates:
        """Take back one concept after the other for as long as the teacher still agrees.

        Greedy: whichever move, taken back, leaves the largest margin goes first.
        """
        moves = candidates.moves.clone()
        active = torch.arange(len(moves))
        while len(active):
            row, column = (moves[active] != 0).nonzero(as_tuple=True)
            trial = moves[active][row]
            trial[torch.arange(len(row)), column] = 0.0
            margin = torch.full((len(active), self.size), -torch.inf)
            margin[row, column] = self.margins(Candidates(candidates.owner[active][row], trial))
            best, drop = margin.max(1)
            active, drop = active[best > _ENOUGH], drop[best > _ENOUGH]
            moves[active, drop] = 0.0
        return Candidates(candidates.owner, moves)

    def shrink(self, candidates: Candidates, halvings: int) -> Candidates:
        """Shorten each change as a whole by bisection, keeping a length the teacher agrees to."""
        fails = torch.zeros(len(candidates.owner), 1)
        holds = torch.ones_like(fails)
        for _ in range(halvings):
            middle = (fails + holds) / 2
            there = self.margins(Candidates(candidates.owner, candidates.moves * middle)) > _ENOUGH
            holds = torch.where(there[:, None], middle, holds)
            fails = torch.where(there[:, None], fails, middle)
        return Candidates(candidates.owner, candidates.moves * holds)

    def _one_level(self, slope: Tensor, moves: Tensor) -> Tensor:
        """Keep one slope (R, D) of each categorical feature: of the level moved, else the steepest.

        Where none has moved, ``intervene`` takes up what a level gains with all levels, itself
        among them: the slope then has the right sign, and is flat for a level that is likely.
        """
        for members in self._levels:
            size = slope[:, members].abs().masked_fill(moves[:, members] != 0, torch.inf)
            others = torch.ones_like(size, dtype=torch.bool)
            others.scatter_(1, size.argmax(1, keepdim=True), False)
            slope[:, members] = slope[:, members].masked_fill(others, 0.0)
        return slope

    def _lead_and_slope(self, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """Return the margin before rounding, (R,), and its gradient over the moves, (R, D)."""
        with torch.enable_grad():
            moves = candidates.moves.detach().requires_grad_(True)
            images = self.surrogate.generate(self.codes_of(Candidates(candidates.owner, moves)))
            # What is seen ends at black and white; the slope is that of the drawing before it.
            seen = images + (images.clamp(-1, 1) - images).detach()
            lead = self._lead(self.classifier.logits(seen), candidates.owner)
            return lead.detach(), torch.autograd.grad(lead.sum(), moves)[0]

    def _lead(self, logits: Tensor, owner: Tensor) -> Tensor:
        wanted = self.wanted[owner]
        best = logits.masked_fill(~wanted, -torch.inf).amax(1)
        return best - logits.masked_fill(wanted, -torch.inf).amax(1)

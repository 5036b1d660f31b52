"""The teacher's lead over concept space: where a search looks, and what it is told there.

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

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.explanations.counterfactuals.goals import Goals
from glance_pipeline.explanations.interventions.intervention import Intervention
from glance_pipeline.explanations.interventions.subjects import draw, padded
from glance_pipeline.images.form import AT_ONCE
from glance_pipeline.support.compute import autocast, runs_in_bfloat16
from glance_pipeline.twin.networks import Codes, TwinSurrogate
from glance_pipeline.twin.networks.concept import by_feature

ENOUGH = 0.01
"""Lead that counts as reached, in logits, or in standard deviations of a number's answers. A pixel
may round to the next grey level in a batch of another size or on another machine; what is kept must
survive that."""


@dataclass(frozen=True)
class Candidates:
    """R changes of concepts.

    Attributes:
        owner: which image each belongs to, (R,).
        moves: the change of each active concept in standard deviations, (R, D).
    """

    owner: Tensor
    moves: Tensor

    def __len__(self) -> int:
        return len(self.owner)

    def __getitem__(self, rows: Any) -> "Candidates":
        """Select candidates."""
        return Candidates(self.owner[rows], self.moves[rows])

    @property
    def moved(self) -> Tensor:
        """Which concepts each moves, bool (R, D)."""
        return self.moves != 0

    @classmethod
    def concatenate(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """Put candidates one after the other."""
        return cls(torch.cat([p.owner for p in parts]), torch.cat([p.moves for p in parts]))


class Landscape:
    """What the teacher says around N images.

    A search feels its way with ``estimates`` and ``slopes``, which are cheap: the picture goes to
    the teacher as it is drawn, in bfloat16 where ``compute.precision`` says so. What is claimed
    rests on ``leads``: the picture in float32, rounded to 8 bits as it is saved.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        codes: codes of the N images.
        goals: what is wanted of each image.
        intervention: what becomes of the codes when concepts are set.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        codes: Codes,
        goals: Goals,
        intervention: Intervention,
    ) -> None:
        self.surrogate = surrogate
        self.intervene = intervention
        self.classifier = classifier
        self.codes = codes
        self.goals = goals
        self.names = surrogate.active_concepts
        self.values = torch.stack([surrogate.read(codes, name) for name in self.names], 1)
        concepts = [surrogate.concept(name) for name in self.names]
        low = torch.tensor([c.low for c in concepts]).minimum(self.values)
        high = torch.tensor([c.high for c in concepts]).maximum(self.values)
        self.lowest, self.highest = low - self.values, high - self.values
        self.levels = [members for members in by_feature(concepts).values() if len(members) > 1]

    @property
    def size(self) -> int:
        """Number D of active concepts."""
        return len(self.names)

    def nothing(self, images: Tensor) -> Candidates:
        """Return a candidate that moves nothing for each of ``images``, numbers (N′,)."""
        return Candidates(images, torch.zeros(len(images), self.size))

    def bounds_of(self, owner: Tensor) -> Tensor:
        """Return the moves to the bounds of each concept, (R, 2, D), the lower bound first."""
        return torch.stack([self.lowest[owner], self.highest[owner]], 1)

    def unmoved(self, candidates: Candidates) -> Tensor:
        """Return which concepts each leaves free to move, bool (R, D): of no feature it moves."""
        moved = candidates.moved
        for members in self.levels:
            moved[:, members] = moved[:, members].any(1, keepdim=True)
        return ~moved

    def codes_of(self, candidates: Candidates) -> Codes:
        """Return the codes (R) after the candidates' moves."""
        values = self.values[candidates.owner] + candidates.moves
        columns = dict(zip(self.names, values.unbind(1), strict=True))
        moved = dict(zip(self.names, candidates.moved.unbind(1), strict=True))
        return self.intervene(self.codes[candidates.owner], columns, moved)

    def leads(self, candidates: Candidates) -> Tensor:
        """Return how far beyond its goal each is, (R,), on 8-bit pictures (``Goals.lead_of``)."""
        if not len(candidates):
            return torch.zeros(0)
        _, logits = draw(self.surrogate, self.classifier, self.codes_of(candidates))
        return self.goals.lead_of(logits, candidates.owner)

    @torch.no_grad()
    def estimates(self, candidates: Candidates) -> Tensor:
        """Return about what ``leads`` would, (R,), sooner."""
        parts = [torch.zeros(0)]
        for start in range(0, len(candidates), AT_ONCE):
            part = candidates[start : start + AT_ONCE]
            parts.append(self.goals.lead_of(self._seen(part), part.owner))
        return torch.cat(parts)

    def slopes(self, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """Return the estimates, (R,), and their gradients over the moves, (R, D)."""
        leads, slopes = [torch.zeros(0)], [torch.zeros(0, self.size)]
        for start in range(0, len(candidates), AT_ONCE):
            part = candidates[start : start + AT_ONCE]
            with torch.enable_grad():
                moves = part.moves.detach().requires_grad_(True)
                lead = self.goals.lead_of(self._seen(Candidates(part.owner, moves)), part.owner)
            leads.append(lead.detach())
            slopes.append(torch.autograd.grad(lead.sum(), moves)[0])
        return torch.cat(leads), torch.cat(slopes)

    def only_one_level(self, slopes: Tensor, moves: Tensor) -> Tensor:
        """Keep one slope (R, D) of each categorical feature: of the level moved, else the steepest.

        Where none has moved, ``intervene`` takes up what a level gains with all levels, itself
        among them: the slope then has the right sign, and is flat for a level that is likely.
        """
        slopes = slopes.clone()
        for members in self.levels:
            size = slopes[:, members].abs().masked_fill(moves[:, members] != 0, torch.inf)
            others = torch.ones_like(size, dtype=torch.bool)
            others.scatter_(1, size.argmax(1, keepdim=True), False)
            slopes[:, members] = slopes[:, members].masked_fill(others, 0.0)
        return slopes

    def _seen(self, candidates: Candidates) -> Tensor:
        """Return the teacher's logits, float32 (R, K), on the pictures before rounding."""
        codes = self.codes_of(candidates)
        device = self.surrogate.device
        with autocast(device, runs_in_bfloat16(device)):
            images = self.surrogate.generate(padded(codes))
            # What is seen ends at black and white; the slope is that of the drawing before it.
            clipped = images + (images.clamp(-1, 1) - images).detach()
            return self.classifier.logits(clipped)[: len(codes)].float()

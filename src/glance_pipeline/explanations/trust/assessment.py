"""How far to trust counterfactuals and images: what follows, under which graphs, how far out."""

from collections.abc import Sequence

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.explanations.interventions.intervention import Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects, draw
from glance_pipeline.explanations.result.explanation import Change, Counterfactual, Counterfactuals
from glance_pipeline.explanations.result.values import change_of
from glance_pipeline.explanations.trust.limits import Rarity, limits_of
from glance_pipeline.explanations.trust.training_distance import TrainingDistance
from glance_pipeline.twin.networks import Codes, TwinSurrogate

_NOTHING = 1e-4
"""Standard deviations that are rounding, not a change."""


class Assessment:
    """Completes counterfactuals, and compares images with the training images.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        interventions: what becomes of an image when concepts are set, one for each graph that the
            evidence allows; the counterfactuals were found with the first.
        training: standardised values of the active concepts of the training images, (T, D); None
            leaves the distance from them out, and so do fewer than 2.
        few: share of training images further out below which concept values are rare, 0–1.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        interventions: Sequence[Intervention],
        training: Tensor | None = None,
        few: float = 0.01,
    ) -> None:
        self.surrogate = surrogate
        self.classifier = classifier
        self.interventions = interventions
        known = training is not None and len(training) > 1
        self.distance = TrainingDistance(training) if known and training is not None else None
        self.few = few

    def rarities(self, codes: Codes) -> list[Rarity | None]:
        """Say how far out the concept values of N images lie; None if that is not known."""
        if self.distance is None:
            return [None] * len(codes)
        names = self.surrogate.active_concepts
        values = torch.stack([self.surrogate.read(codes, name) for name in names], 1)
        return [
            Rarity(count, self.distance.number, self.few)
            for count in self.distance.further_out(values).tolist()
        ]

    def complete(
        self, subjects: Subjects, outcomes: Sequence[Counterfactuals]
    ) -> list[Counterfactuals]:
        """Return the outcomes with all that can be said of each counterfactual that was found."""
        found = [one for outcome in outcomes for one in outcome.found]
        if not found:
            return list(outcomes)
        owner = torch.tensor([i for i, outcome in enumerate(outcomes) for _ in outcome.found])
        before = subjects.codes[owner]
        after = self._codes(self.interventions[0], before, found)
        if self.interventions[0].effect == "causal":
            shares = self._agreeing(before, after, found)
            followed = [self._following(before, after, k, one) for k, one in enumerate(found)]
            found = [
                one.model_copy(update={"following": changes, "graphs_agreeing": share})
                for one, changes, share in zip(found, followed, shares, strict=True)
            ]
        completed = iter(
            one.model_copy(
                update={
                    "further_out": None if rarity is None else rarity.share,
                    "warnings": limits_of(one, rarity),
                }
            )
            for one, rarity in zip(found, self.rarities(after), strict=True)
        )
        return [
            outcome.model_copy(update={"found": tuple(next(completed) for _ in outcome.found)})
            for outcome in outcomes
        ]

    def _codes(
        self, intervention: Intervention, before: Codes, found: Sequence[Counterfactual]
    ) -> Codes:
        """Return the codes of counterfactuals (R) of images (R)."""
        moves = [{c.concept: c.standard_deviations for c in one.changes} for one in found]
        values, moved = {}, {}
        for name in sorted({concept for move in moves for concept in move}):
            length = torch.tensor([move.get(name, 0.0) for move in moves])
            values[name] = self.surrogate.read(before, name) + length
            moved[name] = torch.tensor([name in move for move in moves])
        return intervention(before, values, moved)

    def _following(
        self, before: Codes, after: Codes, row: int, found: Counterfactual
    ) -> tuple[Change, ...]:
        """Return the changes of what was not set itself, longest first."""
        moved = {change.concept for change in found.changes}
        # Other levels of a feature make room for one that is set; they do not follow from it.
        features = {self.surrogate.concept(name).feature for name in moved} - {""}
        changes = [
            change_of(
                self.surrogate.concept(name),
                float(self.surrogate.read(before, name)[row]),
                float(self.surrogate.read(after, name)[row]),
            )
            for name in self.surrogate.active_concepts
            if name not in moved and self.surrogate.concept(name).feature not in features
        ]
        real = [change for change in changes if abs(change.standard_deviations) > _NOTHING]
        return tuple(sorted(real, key=lambda c: abs(c.standard_deviations), reverse=True))

    def _agreeing(
        self, before: Codes, first: Codes, found: Sequence[Counterfactual]
    ) -> list[float]:
        """Return the share of graphs under which each picture is answered as it was.

        Args:
            before: codes of the images (R).
            first: codes of the counterfactuals (R) under the graph that they were found with.
            found: the counterfactuals.
        """
        drawn = torch.stack(
            [self._codes(other, before, found).concepts for other in self.interventions]
        )  # (graphs, R, L)
        agreeing = (drawn == first.concepts).all(2)
        others = ~agreeing
        # Many graphs let the same concepts follow: each picture is drawn once.
        rows = torch.arange(len(found)).expand(len(drawn), -1)
        keys = torch.cat([rows[..., None], drawn], 2)[others]
        distinct, which = keys.unique(dim=0, return_inverse=True)
        if len(distinct):
            row = distinct[:, 0].long()
            codes = Codes(distinct[:, 1:].contiguous(), first.residual[row])
            task = self.surrogate.task_of(self.classifier)
            answers = task.decisions(draw(self.surrogate, self.classifier, codes)[1])
            wanted = task.decisions(torch.tensor([one.prediction.logits for one in found]))
            agreeing[others] = task.same(answers, wanted[row])[which]
        return agreeing.double().mean(0).tolist()

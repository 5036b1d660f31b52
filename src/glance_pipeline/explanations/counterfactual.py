"""Counterfactuals: the smallest change of concepts after which the teacher says something else.

The problem is that of Wachter et al. 2017 (arXiv 1711.00399), posed in concept space as in StylEx
(Lang et al. 2021, arXiv 2104.13369); the search is our own. Candidates come from two sources: each
concept alone over a grid, and walks along the gradient of the teacher's margin through classifier
and generator. Every walk starts at the image and may move only some of the concepts, which is where
the variety comes from. Candidates are then made sparse and short, and what is kept has been
verified by the teacher on the drawn picture.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifier import Classifier
from glance_pipeline.config.explain import SearchParameters
from glance_pipeline.errors import UserError
from glance_pipeline.explanations.explanation import (
    Change,
    Counterfactual,
    Counterfactuals,
    Prediction,
)
from glance_pipeline.explanations.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.landscape import Candidates, Landscape
from glance_pipeline.explanations.subjects import Subjects, draw
from glance_pipeline.explanations.values import displayed_unit, in_display_units
from glance_pipeline.networks import TwinSurrogate
from glance_pipeline.seeding import torch_generator

RUNNER_UP = "runner_up"
ANY = "any"


def check_target(target: str, class_names: Sequence[str]) -> None:
    """Raise ``UserError`` where counterfactuals cannot aim at ``target``."""
    if target not in (RUNNER_UP, ANY, *class_names):
        raise UserError(
            f"explain.target: the classifier has no class {target!r}; "
            f"give {RUNNER_UP}, {ANY}, or one of {list(class_names)}"
        )


class CounterfactualSearch:
    """Looks for counterfactuals of many images at once.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher, which alone decides what counts.
        target: ``runner_up`` (the teacher's second choice for each image), ``any`` other class, or
            the name of a class.
        number: most counterfactuals kept for an image.
        parameters: of the search.
        seed: of the random choices of concepts.
        intervention: what becomes of an image when concepts are set; by default the rest is held.

    Raises:
        UserError: where ``target`` is no class of the classifier.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        target: str = RUNNER_UP,
        number: int = 3,
        parameters: SearchParameters | None = None,
        seed: int = 0,
        intervention: Intervention | None = None,
    ) -> None:
        check_target(target, classifier.class_names)
        self.surrogate = surrogate
        self.classifier = classifier
        self.target = target
        self.number = number
        self.parameters = parameters or SearchParameters()
        self.seed = seed
        self.intervention = intervention or DirectIntervention(surrogate)

    def explain(self, subjects: Subjects) -> list[Counterfactuals]:
        """Return the outcome of the search for each image."""
        wanted = self._wanted(subjects)
        landscape = Landscape(
            self.surrogate, self.classifier, subjects.codes, wanted, self.intervention
        )
        searched = wanted.any(1).nonzero().flatten()
        candidates = self._candidates(landscape, searched)
        candidates = landscape.drop_needless(candidates)
        candidates = landscape.shrink(candidates, self.parameters.halvings)
        kept = [self._keep(candidates, image) for image in range(len(subjects))]
        return self._describe(subjects, landscape, candidates, kept, wanted)

    def _wanted(self, subjects: Subjects) -> Tensor:
        """Return which answers count for which image, (N, K).

        Neither the image's own class nor its reconstruction's does: a picture that is already
        called so needs no change, and shows nothing.
        """
        logits = subjects.logits
        wanted = torch.zeros_like(logits, dtype=torch.bool)
        if self.target == ANY:
            wanted[:] = True
        elif self.target == RUNNER_UP:
            wanted.scatter_(1, logits.topk(2, dim=1).indices[:, 1:], True)
        else:
            wanted[:, self.classifier.class_names.index(self.target)] = True
        wanted.scatter_(1, subjects.predicted[:, None], False)
        return wanted.scatter_(1, subjects.reconstruction_logits.argmax(1, keepdim=True), False)

    def _candidates(self, landscape: Landscape, images: Tensor) -> Candidates:
        parameters = self.parameters
        alone = landscape.each_alone(images, parameters.grid)
        free = torch.ones(len(images), landscape.size, dtype=torch.bool)
        walked, reached = landscape.walk(images, free, parameters.walk_steps, parameters.step)
        # The concepts that carried the free walk are worth a walk of their own, two and three.
        owners, masks = [], []
        rank = walked.moves.abs().argsort(1, descending=True).argsort(1)
        for few in (2, 3):
            owners.append(images)
            masks.append(rank < few)
        owners.append(images.repeat_interleave(parameters.starts))
        masks.append(self._random_masks(landscape.size).repeat(len(images), 1))
        owner = torch.cat(owners)
        more, found = landscape.walk(
            owner, torch.cat(masks), parameters.walk_steps, parameters.step
        )
        return Candidates.concatenate([alone, walked[reached], more[found]])

    def _random_masks(self, size: int) -> Tensor:
        """Return random halves of the concepts, (starts, size), never empty.

        They are the same for every image, so that an image's result hangs on no other image.
        """
        generator = torch_generator(self.seed, "counterfactual", "masks")
        order = torch.rand(self.parameters.starts, size, generator=generator).argsort(1)
        return order < max(1, (size + 1) // 2)

    def _keep(self, candidates: Candidates, image: int) -> list[int]:
        """Return the rows kept for an image: fewest concepts, then shortest, all different.

        Two are different where neither's set of concepts holds the other's.
        """
        rows = (candidates.owner == image).nonzero().flatten().tolist()
        moved = candidates.moves != 0
        lengths = candidates.moves.abs().sum(1)
        kept: list[int] = []
        for row in sorted(rows, key=lambda r: (int(moved[r].sum()), float(lengths[r]))):
            if len(kept) < self.number and not any(
                bool((moved[row] >= moved[other]).all()) for other in kept
            ):
                kept.append(row)
        return kept

    def _describe(
        self,
        subjects: Subjects,
        landscape: Landscape,
        candidates: Candidates,
        kept: list[list[int]],
        wanted: Tensor,
    ) -> list[Counterfactuals]:
        chosen = candidates[[row for rows in kept for row in rows]]
        pictures, logits = np.empty((0,)), subjects.logits[:0]
        if len(chosen.owner):
            pictures, logits = draw(self.surrogate, self.classifier, landscape.codes_of(chosen))
        outcomes, start = [], 0
        for image, rows in enumerate(kept):
            found = [
                Counterfactual(
                    prediction=Prediction.of(logits[k], self.classifier.class_names),
                    changes=self._changes(landscape, chosen, k),
                    distance=float(chosen.moves[k].abs().sum()),
                    picture=pictures[k],
                )
                for k in range(start, start + len(rows))
                if wanted[image, logits[k].argmax()]
            ]
            start += len(rows)
            target = self._target_of(subjects, image)
            note = "" if found else self._note(subjects, image, target, bool(wanted[image].any()))
            outcomes.append(Counterfactuals(target=target, found=tuple(found), note=note))
        return outcomes

    def _changes(self, landscape: Landscape, chosen: Candidates, row: int) -> tuple[Change, ...]:
        changes = []
        for column in chosen.moves[row].abs().argsort(descending=True).tolist():
            move = float(chosen.moves[row, column])
            if move == 0:
                continue
            concept = self.surrogate.concept(landscape.names[column])
            before = float(landscape.values[chosen.owner[row], column])
            changes.append(
                Change(
                    concept=concept.name,
                    unit=displayed_unit(concept),
                    before=in_display_units(concept, before),
                    after=in_display_units(concept, before + move),
                    standard_deviations=move,
                )
            )
        return tuple(changes)

    def _target_of(self, subjects: Subjects, image: int) -> str:
        if self.target == RUNNER_UP:
            return self.classifier.class_names[int(subjects.logits[image].topk(2).indices[1])]
        return self.target

    def _note(self, subjects: Subjects, image: int, target: str, searched: bool) -> str:
        if not searched:
            names = self.classifier.class_names
            if names[int(subjects.predicted[image])] == target:
                return f"The image is already called {target}."
            return f"The reconstruction is already called {target}, with no concept changed."
        goal = "anything else" if target == ANY else target
        return f"No change of the concepts within their range made the classifier say {goal}."

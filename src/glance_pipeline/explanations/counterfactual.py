"""Counterfactuals: the smallest change of concepts after which the teacher says something else.

The problem is that of Wachter et al. 2017 (arXiv 1711.00399), posed in concept space as in StylEx
(Lang et al. 2021, arXiv 2104.13369). A strategy, ``AttFind`` or ``GradientWalks``, proposes changes
on a quick estimate of the teacher's answer; those of fewest concepts are shortened and verified by
the teacher on the picture as it is saved, and where one fails, the image's next one takes its turn.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glance_pipeline.classifier import Classifier, in_quickest_layout
from glance_pipeline.closest import known_instead
from glance_pipeline.config.explain import SearchParameters
from glance_pipeline.errors import UserError
from glance_pipeline.explanations.attfind import AttFind
from glance_pipeline.explanations.explanation import (
    Change,
    Counterfactual,
    Counterfactuals,
    Prediction,
)
from glance_pipeline.explanations.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.landscape import Candidates, Landscape
from glance_pipeline.explanations.shortening import shrink
from glance_pipeline.explanations.subjects import Subjects, draw
from glance_pipeline.explanations.turns import in_turn, next_of
from glance_pipeline.explanations.values import change_of
from glance_pipeline.explanations.walk import GradientWalks
from glance_pipeline.networks import TwinSurrogate

RUNNER_UP = "runner_up"
ANY = "any"


def check_target(target: str, class_names: Sequence[str]) -> None:
    """Raise ``UserError`` where counterfactuals cannot aim at ``target``."""
    if target not in (RUNNER_UP, ANY, *class_names):
        raise UserError(
            f"explain.target: the classifier has no class {target!r}; give {RUNNER_UP}, {ANY}, or "
            f"the name of a class: {known_instead(target, class_names)}"
        )


class CounterfactualSearch:
    """Looks for counterfactuals of many images at once.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher, which alone decides what counts; its weights are laid out for
            speed, in place (``in_quickest_layout``).
        target: ``runner_up`` (the teacher's second choice for each image), ``any`` other class, or
            the name of a class.
        number: most counterfactuals kept for an image.
        parameters: of the search.
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
        intervention: Intervention | None = None,
    ) -> None:
        check_target(target, classifier.class_names)
        self.surrogate = surrogate
        self.classifier = in_quickest_layout(classifier)
        self.target = target
        self.number = number
        self.parameters = parameters or SearchParameters()
        self.intervention = intervention or DirectIntervention(surrogate)
        self.strategy = strategy_of(self.parameters, number)

    def explain(
        self, subjects: Subjects, targets: Sequence[int] | None = None
    ) -> list[Counterfactuals]:
        """Return the outcome of the search for each image.

        Args:
            subjects: N images.
            targets: number of the class aimed at in each of them; by default what ``target`` says.

        Raises:
            ValueError: where ``targets`` has another length, or holds what is no class.
        """
        aims = self._aims(subjects, targets)
        wanted = self._wanted(subjects, aims)
        landscape = Landscape(
            self.surrogate, self.classifier, subjects.codes, wanted, self.intervention
        )
        proposed = self.strategy.propose(landscape, wanted.any(1).nonzero().flatten())
        lead = landscape.lead_of(subjects.reconstruction_logits, torch.arange(len(subjects)))
        found = self._verified(landscape, proposed, lead)
        return [
            self._outcome(subjects, image, aims[image], bool(wanted[image].any()), found[image])
            for image in range(len(subjects))
        ]

    def _aims(self, subjects: Subjects, targets: Sequence[int] | None) -> list[int | None]:
        """Return the number of the class aimed at in each image, None for any but its own."""
        names = self.classifier.class_names
        if targets is not None:
            if len(targets) != len(subjects):
                raise ValueError(f"targets: {len(targets)} classes for {len(subjects)} images")
            for target in targets:
                if not 0 <= target < len(names):
                    raise ValueError(f"targets: found {target}, wanted 0 to {len(names) - 1}")
            return [int(target) for target in targets]
        if self.target == ANY:
            return [None] * len(subjects)
        if self.target == RUNNER_UP:
            return subjects.logits.topk(2, dim=1).indices[:, 1].tolist()
        return [names.index(self.target)] * len(subjects)

    def _wanted(self, subjects: Subjects, aims: Sequence[int | None]) -> Tensor:
        """Return which answers count for which image, (N, K).

        Neither the image's own class nor its reconstruction's does: a picture that is already
        called so needs no change, and shows nothing.
        """
        wanted = torch.zeros_like(subjects.logits, dtype=torch.bool)
        for image, aim in enumerate(aims):
            wanted[image, slice(None) if aim is None else aim] = True
        wanted.scatter_(1, subjects.predicted[:, None], False)
        return wanted.scatter_(1, subjects.reconstruction_logits.argmax(1, keepdim=True), False)

    def _verified(
        self, landscape: Landscape, proposed: Candidates, lead: Tensor
    ) -> list[list[Counterfactual]]:
        """Return what the teacher confirms for each image: fewest concepts, then shortest.

        No counterfactual's set of concepts holds another's. What is not confirmed makes room for
        the image's next proposal.

        Args:
            landscape: of N images.
            proposed: changes of any of them.
            lead: before any change, (N,).
        """
        proposed, queues = in_turn(landscape, proposed, lead)
        kept: list[list[Counterfactual]] = [[] for _ in queues]
        sets: list[list[Tensor]] = [[] for _ in queues]
        moved = proposed.moved
        while rows := [
            row
            for image, queue in enumerate(queues)
            for row in next_of(queue, moved, sets[image], self.number - len(kept[image]))
        ]:
            short = shrink(landscape, proposed[rows], self.parameters.halvings)
            pictures, logits = draw(self.surrogate, self.classifier, landscape.codes_of(short))
            for k, image in enumerate(short.owner.tolist()):
                if landscape.wanted[image, logits[k].argmax()]:
                    sets[image].append(short.moved[k])
                    kept[image].append(
                        Counterfactual(
                            prediction=Prediction.of(logits[k], self.classifier.class_names),
                            changes=self._changes(landscape, short, k),
                            distance=float(short.moves[k].abs().sum()),
                            picture=pictures[k],
                        )
                    )
        return [sorted(found, key=lambda c: (len(c.changes), c.distance)) for found in kept]

    def _changes(self, landscape: Landscape, chosen: Candidates, row: int) -> tuple[Change, ...]:
        changes = []
        for column in chosen.moves[row].abs().argsort(descending=True).tolist():
            move = float(chosen.moves[row, column])
            if move == 0:
                continue
            concept = self.surrogate.concept(landscape.names[column])
            before = float(landscape.values[chosen.owner[row], column])
            changes.append(change_of(concept, before, before + move))
        return tuple(changes)

    def _outcome(
        self,
        subjects: Subjects,
        image: int,
        aim: int | None,
        searched: bool,
        found: list[Counterfactual],
    ) -> Counterfactuals:
        names = self.classifier.class_names
        target = ANY if aim is None else names[aim]
        if found:
            note = ""
        elif searched:
            goal = "anything else" if aim is None else target
            note = f"No change of the concepts within their range made the classifier say {goal}."
        elif int(subjects.predicted[image]) == aim:
            note = f"The image is already called {target}."
        elif aim is None:
            note = "There is no third class: the reconstruction is called otherwise than the image."
        else:
            note = f"The reconstruction is already called {target}, with no concept changed."
        return Counterfactuals(target=target, found=tuple(found), note=note)


def strategy_of(parameters: SearchParameters, number: int) -> AttFind | GradientWalks:
    """Return the strategy that ``parameters`` name, looking for ``number`` sets of concepts."""
    if parameters.strategy == "attfind":
        return AttFind(number, parameters.largest)
    return GradientWalks(number, parameters)

"""Counterfactuals: the smallest change of concepts after which the teacher says something else.

The problem is that of Wachter et al. 2017 (arXiv 1711.00399), posed in concept space as in StylEx
(Lang et al. 2021, arXiv 2104.13369). A strategy, ``AttFind`` or ``GradientWalks``, proposes changes
on a quick estimate of the teacher's answer; those of fewest concepts are shortened and verified by
the teacher on the picture as it is saved, and where one fails, the image's next one takes its turn.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier, in_quickest_layout
from glance_pipeline.config.explain import CounterfactualSearchParameters
from glance_pipeline.explanations.counterfactuals.attfind import AttFind
from glance_pipeline.explanations.counterfactuals.goals import (
    ClassGoals,
    Goals,
    LabelGoals,
    turned_labels,
)
from glance_pipeline.explanations.counterfactuals.gradient_walk import GradientWalks
from glance_pipeline.explanations.counterfactuals.landscape import Candidates, Landscape
from glance_pipeline.explanations.counterfactuals.shortening import shrink
from glance_pipeline.explanations.counterfactuals.targets import RUNNER_UP, parse_target
from glance_pipeline.explanations.counterfactuals.verification_order import in_turn, next_of
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects, draw
from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import (
    Change,
    Counterfactual,
    Counterfactuals,
    Flip,
)
from glance_pipeline.explanations.result.values import change_of
from glance_pipeline.twin.networks import TwinSurrogate


class CounterfactualSearch:
    """Looks for counterfactuals of many images at once.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher, which alone decides what counts; its weights are laid out for
            speed, in place (``in_quickest_layout``).
        target: ``runner_up`` (the teacher's second choice for each image), ``any`` other class, or
            the name of a class; of labels and numbers see ``targets.parse_target``.
        number: most counterfactuals kept for an image; where a number may rise or fall, either way.
        parameters: parameters of the search.
        intervention: what becomes of an image when concepts are set; by default the rest is held.

    Raises:
        UserError: if counterfactuals cannot aim at ``target``.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        target: str = RUNNER_UP,
        number: int = 3,
        parameters: CounterfactualSearchParameters | None = None,
        intervention: Intervention | None = None,
    ) -> None:
        self.target = parse_target(target, classifier.task)
        self.surrogate = surrogate
        self.classifier = in_quickest_layout(classifier)
        self.task = surrogate.task_of(classifier)
        self.number = number
        self.parameters = parameters or CounterfactualSearchParameters()
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
            ValueError: if ``targets`` has another length, or holds what is no class.
        """
        goals = self._goals(subjects, targets)
        found = [self._searched(subjects, one) for one in goals]
        return [
            Counterfactuals(
                target=" or ".join(one.target(image) for one in goals),
                found=tuple(one for some in found for one in some[image]),
                note=" ".join(
                    one.note(image)
                    for one, some in zip(goals, found, strict=True)
                    if not some[image]
                ),
            )
            for image in range(len(subjects))
        ]

    def _goals(self, subjects: Subjects, targets: Sequence[int] | None) -> Sequence[Goals]:
        """Return what is to be reached in the images, one search after the other."""
        logits, redrawn = subjects.logits, subjects.reconstruction_logits
        if targets is None:
            return self.target.goals(logits, redrawn, self.task)
        names = self.task.names
        if len(targets) != len(subjects):
            raise ValueError(f"targets: {len(targets)} classes for {len(subjects)} images")
        for target in targets:
            if not 0 <= target < len(names):
                raise ValueError(f"targets: found {target}, wanted 0 to {len(names) - 1}")
        return [ClassGoals.of([int(target) for target in targets], logits, redrawn, names)]

    def _searched(self, subjects: Subjects, goals: Goals) -> list[list[Counterfactual]]:
        """Return what is found for each image on the way to its goal."""
        landscape = Landscape(
            self.surrogate, self.classifier, subjects.codes, goals, self.intervention
        )
        proposed = self.strategy.propose(landscape, goals.searched.nonzero().flatten())
        redrawn = subjects.reconstruction_logits
        lead = goals.lead_of(redrawn, torch.arange(len(subjects)))
        return self._verified(landscape, proposed, lead, redrawn)

    def _verified(
        self, landscape: Landscape, proposed: Candidates, lead: Tensor, redrawn: Tensor
    ) -> list[list[Counterfactual]]:
        """Return what the teacher confirms for each image: fewest concepts, then shortest.

        No counterfactual's set of concepts holds another's. What is not confirmed makes room for
        the image's next proposal.

        Args:
            landscape: landscape of N images.
            proposed: changes of any of them.
            lead: before any change, (N,).
            redrawn: logits of the reconstructions, (N, K).
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
            reached = landscape.goals.reached(logits, short.owner).tolist()
            for k, image in enumerate(short.owner.tolist()):
                if reached[k]:
                    sets[image].append(short.moved[k])
                    kept[image].append(
                        Counterfactual(
                            prediction=Prediction.of(logits[k], self.task),
                            upwards=landscape.goals.upwards(image),
                            flipped=_flipped(landscape.goals, image, redrawn[image], logits[k]),
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


def _flipped(goals: Goals, image: int, before: Tensor, after: Tensor) -> tuple[Flip, ...]:
    """Return the labels that differ between logits (K,), that aimed at first; none of others."""
    if not isinstance(goals, LabelGoals):
        return ()
    turned = turned_labels(goals.task, before, after, goals.turned(image, after))
    return tuple(Flip(name=name, on=on) for name, on in turned)


def strategy_of(parameters: CounterfactualSearchParameters, number: int) -> AttFind | GradientWalks:
    """Return the strategy that ``parameters`` name, looking for ``number`` sets of concepts."""
    if parameters.strategy == "attfind":
        return AttFind(number, parameters.largest)
    return GradientWalks(number, parameters)

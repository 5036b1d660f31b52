"""Concept importances: interventional Shapley values of the teacher's answer over concepts.

A coalition's worth is the mean answer where its members are as in the image and the rest is not
known: codes b of training images stand for what the rest may be, the image's residual code held.
The members are *set* to the image's values on those codes. With a direct intervention nothing else
moves, and this is the game of Lundberg & Lee 2017 (arXiv 1705.07874) in its interventional form
(Janzing et al. 2020, arXiv 1910.13413), f(G(u_S, b_¬S, n)). With a causal one the descendants of
the members follow in each b, which draws them from P(u_¬S | do(u_S)): causal Shapley values (Heskes
et al. 2020, arXiv 2011.01625), where a concept gets credit for what it causes.

The levels of a categorical feature are one player: they join as a whole, since no image has some
levels of its own and some of another's. All coalitions for few players; otherwise permutation
sampling (Castro et al. 2009), each permutation walked forwards and backwards (antithetic), which
removes the error of pairwise interactions' order. The student lessens what is left of chance: its
answer h(u) is much the same game and costs no picture, so a sample of it forty times as large says
how far off the small one is (a control variate). Either way the values sum to f(x̂) − baseline.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.classifiers.task import Task
from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations.importance.background import Background, representatives
from glance_pipeline.explanations.importance.coalitions import (
    AllCoalitions,
    Game,
    Permutations,
    Solution,
)
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects, draw
from glance_pipeline.explanations.result.explanation import Importance, Importances
from glance_pipeline.images.form import AT_ONCE
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import Codes, TwinSurrogate

_CODES = 8192
"""Codes that the student is asked about at once."""

_FORETOLD = 40
"""Permutations on which the student is asked, for each on which pictures are drawn."""


class ShapleyImportance:
    """Shapley values of the teacher's answer over the active concepts, feature by feature.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        background: standardised values of the active concepts, (B, D), see ``background_codes``.
        parameters: measure, and when to compute exactly.
        seed: seed of the permutations, and of the choice of representatives.
        intervention: what becomes of an image when concepts are set; by default the rest is held.
        training: of many training images, (T, D), which representatives are chosen from where
            ``background`` has too many for an exact game, and which the student is asked about
            where values are sampled; by default ``background``.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        background: Tensor,
        parameters: ImportanceParameters | None = None,
        *,
        seed: int = 0,
        intervention: Intervention | None = None,
        training: Tensor | None = None,
    ) -> None:
        self.surrogate = surrogate
        self.classifier = classifier
        self.parameters = parameters or ImportanceParameters()
        self.intervene = intervention or DirectIntervention(surrogate)
        self.names = surrogate.active_concepts
        features = surrogate.active_features
        self.players = list(features)
        feature_of = {name: j for j, names in enumerate(features.values()) for name in names}
        self._player_of = torch.tensor([feature_of[name] for name in self.names])
        everything = background if training is None else training
        self.game = self._game(background, everything, seed)
        self.control = self._control(everything, seed)

    def explain(self, subjects: Subjects) -> list[Importances]:
        """Return the importances of each image, for the output that it is explained for."""
        full = self._measure(subjects.reconstruction_logits, subjects.about)
        worth = self._worth(subjects, self.game, self._drawn, AT_ONCE)
        # One by one: a sum over many rounds otherwise than a sum over one.
        if self.control is None or not isinstance(self.game, Permutations):
            solutions = [self.game.solve(worth[[k]], full[[k]]) for k in range(len(subjects))]
        else:
            known = self._worth(subjects, self.game, self._foretold, _CODES)
            known_full = self._foretold_of(subjects)
            every = self._worth(subjects, self.control, self._foretold, _CODES)
            solutions = [
                self.game.solve_with(
                    worth[[k]],
                    full[[k]],
                    known[[k]],
                    known_full[[k]],
                    self.control.solve(every[[k]], known_full[[k]]),
                )
                for k in range(len(subjects))
            ]
        return [
            self._describe(subjects, image, solution, float(full[image]))
            for image, solution in enumerate(solutions)
        ]

    def _game(self, background: Tensor, training: Tensor, seed: int) -> Game:
        parameters, size = self.parameters, len(self.players)
        if size > parameters.exact_up_to:
            return Permutations(Background.even(background), size, parameters.permutations, seed)
        affordable = max(1, parameters.exact_pictures // 2**size)
        if affordable < len(background):
            return AllCoalitions(representatives(training, affordable, seed), size)
        return AllCoalitions(Background.even(background), size)

    def _control(self, training: Tensor, seed: int) -> Permutations | None:
        """Return the game that the student plays; None if nothing is sampled."""
        if not isinstance(self.game, Permutations):
            return None
        number = _FORETOLD * self.parameters.permutations
        order = numpy_generator(seed, "importance", "foretold").permutation(len(training))
        background = Background.even(training[order[: number // 2]])
        return Permutations(background, len(self.players), number, seed, "foretold orders")

    @torch.no_grad()
    def _worth(
        self, subjects: Subjects, game: Game, answer: Callable[[Codes], Tensor], size: int
    ) -> Tensor:
        """Return the measure, float64 (N, R), of every row of a game for each of N images.

        Args:
            subjects: the images.
            game: whose rows.
            answer: returns the logits (S, K) of codes (S).
            size: number S of codes asked about at once; always as many, so that no answer depends
                on how many others there are.
        """
        number = len(game.members)
        measured = []
        for part in torch.arange(len(subjects) * number).split(size):
            rows = torch.cat([part, part[-1:].expand(size - len(part))])
            image, row = rows // number, rows % number
            codes = self._codes(subjects.codes[image], game, row)
            logits = answer(codes)
            measured.append(self._measure(logits, subjects.about[image])[: len(part)])
        return torch.cat(measured).view(len(subjects), number)

    def _drawn(self, codes: Codes) -> Tensor:
        return draw(self.surrogate, self.classifier, codes)[1]

    def _foretold(self, codes: Codes) -> Tensor:
        return self.surrogate.predict(codes)

    @torch.no_grad()
    def _foretold_of(self, subjects: Subjects) -> Tensor:
        """Return the measure of the student's answers to images, one by one, float64 (N,)."""
        logits = [self.surrogate.predict(subjects.codes[[k]]) for k in range(len(subjects))]
        return self._measure(torch.cat(logits), subjects.about)

    def _codes(self, codes: Codes, game: Game, row: Tensor) -> Codes:
        """Return codes of images (R) for rows (R,) of a game: members their own, on others'."""
        others = game.others[row]
        member = game.members[row][:, self._player_of]
        own = torch.stack([self.surrogate.read(codes, name) for name in self.names], 1)
        unknown = dict(zip(self.names, others.unbind(1), strict=True))
        values = dict(zip(self.names, torch.where(member, own, others).unbind(1), strict=True))
        moved = dict(zip(self.names, member.unbind(1), strict=True))
        return self.intervene(self.surrogate.intervene(codes, unknown), values, moved)

    def _measure(self, logits: Tensor, class_index: Tensor) -> Tensor:
        """Return the measure of each picture's output (R,), float64 (R,)."""
        task = self.classifier.task
        measured = task.measures(logits) if self.parameters.measure == "margin" else logits
        return measured.gather(1, class_index[:, None])[:, 0].double()

    def _describe(
        self, subjects: Subjects, image: int, solution: Solution, prediction: float
    ) -> Importances:
        values, errors = solution.values[0], solution.errors[0]
        task, output = self.classifier.task, int(subjects.about[image])
        return Importances(
            measure=named_measure(task, self.parameters.measure),
            class_name=task.names[output],
            unit=task.unit_of(output),
            prediction=prediction,
            baseline=float(solution.baselines[0]),
            exact=isinstance(self.game, AllCoalitions),
            of=tuple(
                Importance(
                    concept=self.players[j],
                    contribution=float(values[j]),
                    standard_error=float(errors[j]),
                )
                for j in values.abs().argsort(descending=True).tolist()
            ),
            backgrounds=len(self.game.background),
        )


def named_measure(task: Task, asked: str) -> str:
    """Return what is measured: of a class as ``asked``, else what the task has in its place."""
    return asked if task.kind == "one_of" else task.measure

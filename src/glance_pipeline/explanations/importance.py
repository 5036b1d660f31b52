"""Concept importances: interventional Shapley values of the teacher's answer over concepts.

The game of Lundberg & Lee 2017 (arXiv 1705.07874) in its interventional form (Janzing et al. 2020,
arXiv 1910.13413): the value of a coalition is the mean of f(G(u_S, b_¬S, n)) over background codes
b of training images, the concepts in S as in the image, the rest as in b, the image's residual code
held. The levels of a categorical feature are one player: they join as a whole, since no image has
some levels of its own and some of another's. All coalitions for few players; otherwise permutation
sampling (Castro et al. 2009), each permutation walked forwards and backwards (antithetic), which
removes the error of pairwise interactions' order. Either way the values sum to f(x̂) − baseline.
"""

from math import factorial

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifier import Classifier, margins
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations.explanation import Importance, Importances
from glance_pipeline.explanations.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.subjects import Subjects, draw
from glance_pipeline.networks import Codes, TwinSurrogate
from glance_pipeline.seeding import numpy_generator


def background_codes(
    surrogate: TwinSurrogate, table: ConceptTable, rows: list[int], number: int, seed: int
) -> Tensor:
    """Draw background codes from the concept table.

    Args:
        surrogate: names the active concepts and standardises their values.
        table: concepts of all images.
        rows: positions in the table that may be drawn, those of the training images.
        number: how many are drawn, without replacement; all of ``rows`` where it has fewer.
        seed: of the draw.

    Returns:
        Codes of the active concepts as the student inferred them, float (number, D).

    Raises:
        ValueError: where the table lacks an active concept, or where ``rows`` is empty.
    """
    missing = [name for name in surrogate.active_concepts if name not in table.concepts]
    if missing:
        raise ValueError(
            f"the concept table has no column for {missing}: it belongs to another surrogate; "
            "run the discover pipeline again"
        )
    if not rows:
        raise ValueError("no training image to draw background codes from")
    generator = numpy_generator(seed, "importance", "background")
    drawn = generator.permutation(rows)[:number]
    columns = [
        surrogate.concept(name).to_code(table.concepts[name].to_numpy()[drawn])
        for name in surrogate.active_concepts
    ]
    return torch.tensor(np.stack(columns, 1), dtype=torch.float32)


class ShapleyImportance:
    """Shapley values of the teacher's answer over the active concepts, feature by feature.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        background: standardised values of the active concepts, (B, D), see ``background_codes``.
        parameters: measure, and when to compute exactly.
        seed: of the permutations.
        intervention: what becomes of an image when concepts are set; by default the rest is held.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        background: Tensor,
        parameters: ImportanceParameters | None = None,
        seed: int = 0,
        intervention: Intervention | None = None,
    ) -> None:
        self.surrogate = surrogate
        self.classifier = classifier
        self.background = background
        self.parameters = parameters or ImportanceParameters()
        self.seed = seed
        self.intervene = intervention or DirectIntervention(surrogate)
        self.names = surrogate.active_concepts
        features = surrogate.active_features
        self.players = list(features)
        feature_of = {name: j for j, names in enumerate(features.values()) for name in names}
        self._player_of = torch.tensor([feature_of[name] for name in self.names])

    def explain(self, subjects: Subjects) -> list[Importances]:
        """Return the importances of each image, for the class the teacher gives that image."""
        exact = len(self.players) <= self.parameters.exact_up_to
        compute = self._exact if exact else self._sampled
        explained = []
        for image, class_index in enumerate(subjects.predicted.tolist()):
            values, errors, baseline = compute(subjects.codes[[image]], class_index)
            measured = self._measure(subjects.reconstruction_logits[[image]], class_index)
            order = values.abs().argsort(descending=True).tolist()
            explained.append(
                Importances(
                    measure=self.parameters.measure,
                    class_name=self.classifier.class_names[class_index],
                    prediction=float(measured),
                    baseline=baseline,
                    exact=exact,
                    of=tuple(
                        Importance(
                            concept=self.players[j],
                            contribution=float(values[j]),
                            standard_error=float(errors[j]),
                        )
                        for j in order
                    ),
                )
            )
        return explained

    def _exact(self, code: Codes, class_index: int) -> tuple[Tensor, Tensor, float]:
        size = len(self.players)
        coalition = torch.arange(2**size)
        member = (coalition[:, None] >> torch.arange(size)) & 1 == 1  # (2^P, P)
        rows = member.repeat_interleave(len(self.background), 0)
        background = self.background.repeat(len(member), 1)
        worth = self._worth(code, rows, background, class_index)
        worth = worth.view(len(member), -1).mean(1)
        count = member.sum(1)
        weight = torch.tensor(
            [factorial(s) * factorial(size - s - 1) / factorial(size) for s in range(size)],
            dtype=torch.float64,
        )
        values = torch.zeros(size, dtype=torch.float64)
        for j in range(size):
            without = coalition[~member[:, j]]
            gain = worth[without | (1 << j)] - worth[without]
            values[j] = (weight[count[without]] * gain).sum()
        return values, torch.zeros(size), float(worth[0])

    def _sampled(self, code: Codes, class_index: int) -> tuple[Tensor, Tensor, float]:
        size, pairs = len(self.players), self.parameters.permutations // 2
        # The same orders for every image, so that an image's result hangs on no other image.
        generator = numpy_generator(self.seed, "importance", "permutations")
        forwards = [generator.permutation(size) for _ in range(pairs)]
        # Backgrounds are used in turn, so that each has the same share of the baseline.
        background = self.background[torch.arange(pairs) % len(self.background)]
        orders = torch.tensor([[order, order[::-1]] for order in map(list, forwards)]).flatten(0, 1)
        place = orders.argsort(1)  # when each player joins, (2·pairs, P)
        member = place[:, None, :] < torch.arange(size + 1)[:, None]  # (2·pairs, P + 1, P)
        rows = background.repeat_interleave(2 * (size + 1), 0)
        worth = self._worth(code, member.flatten(0, 1), rows, class_index)
        gains = worth.view(2 * pairs, size + 1).diff(dim=1).gather(1, place)
        # Both walks of a pair start at one background: the pair is the independent draw.
        paired = gains.view(pairs, 2, size).mean(1)
        errors = paired.std(0) / pairs**0.5
        return paired.mean(0), errors, float(worth.view(2 * pairs, -1)[:, 0].mean())

    def _worth(self, code: Codes, member: Tensor, background: Tensor, class_index: int) -> Tensor:
        """Return the measure, float64 (R,), where members (R, P) are the image's, the rest not."""
        own = torch.stack([self.surrogate.read(code, name) for name in self.names], 1)
        values = torch.where(member[:, self._player_of], own, background)
        columns = dict(zip(self.names, values.unbind(1), strict=True))
        codes = self.intervene(code.repeat_interleave(len(member)), columns)
        _, logits = draw(self.surrogate, self.classifier, codes)
        return self._measure(logits, class_index)

    def _measure(self, logits: Tensor, class_index: int) -> Tensor:
        measured = margins(logits) if self.parameters.measure == "margin" else logits
        return measured[:, class_index].double()

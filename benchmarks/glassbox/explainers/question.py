"""What every explainer is asked: of a teacher, which concepts does it look at?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.glassbox.drawn import Drawn
from benchmarks.glassbox.effects import YES
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.explanations.counterfactuals.goals import ClassGoals, Goals
from glance_pipeline.explanations.counterfactuals.landscape import Landscape
from glance_pipeline.explanations.interventions.intervention import DirectIntervention
from glance_pipeline.explanations.interventions.subjects import Subjects
from glance_pipeline.twin.networks import Codes, TwinSurrogate


@dataclass(frozen=True)
class Question:
    """A teacher of two classes with all that an explainer may use.

    Attributes:
        surrogate: after alignment.
        classifier: the teacher.
        drawn: images of the case, the held-out ones redrawn as well.
        seed: seed of the run.
    """

    surrogate: TwinSurrogate
    classifier: Classifier
    drawn: Drawn
    seed: int

    @property
    def features(self) -> list[str]:
        """Names of the context features."""
        return [str(name) for name in self.drawn.digits.context]

    @property
    def training(self) -> np.ndarray:
        """Images of the training split, uint8 (T, 1, H, W)."""
        return self.drawn.digits.images[self.drawn.digits.rows_of("train")]

    @property
    def held_out(self) -> np.ndarray:
        """Images that effects are averaged over, uint8 (N, 1, H, W)."""
        return self.drawn.digits.images[self.drawn.held_out]

    def landscape_of_margin(self) -> Landscape:
        """Return the margin of yes over the concepts around the held-out images."""
        codes = self.surrogate.encode_array(self.held_out)
        wanted = torch.zeros(len(codes), 2, dtype=torch.bool)
        wanted[:, YES] = True
        return self._landscape(codes, ClassGoals(wanted))

    def landscape_of_other_class(self, count: int) -> Landscape:
        """Return the lead of the other class around the first ``count`` held-out images."""
        subjects = Subjects.see(self.surrogate, self.classifier, self.held_out[:count])
        goals = ClassGoals.of(
            [None] * len(subjects), subjects.logits, subjects.reconstruction_logits, ("no", "yes")
        )
        return self._landscape(subjects.codes, goals)

    def _landscape(self, codes: Codes, goals: Goals) -> Landscape:
        intervention = DirectIntervention(self.surrogate)
        return Landscape(self.surrogate, self.classifier, codes, goals, intervention)


Explainer = Callable[[Question], dict[str, float]]
"""Maps a question to the size of every concept that it knows, at least 0."""


def margin_of(logits: Tensor) -> Tensor:
    """Return the margin (N,) of yes, in logits, of logits (N, 2)."""
    return logits[:, YES] - logits[:, 1 - YES]

"""Interventions on held-out images: each is generated anew, and the teacher answers.

The task says what is measured of an answer: the margin of a class, the logit of a label, or a
number in its unit. All of them are called margins here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import AT_ONCE
from glance_pipeline.twin.networks import Codes, TwinSurrogate


class Changes(NamedTuple):
    """What moving one concept did to each of N images.

    Attributes:
        margins: float64 (N, K) of K outputs, margin above minus margin below, in their units.
        steps: float64 (N,), distance between above and below, in standard deviations, ≥ 0.
    """

    margins: np.ndarray
    steps: np.ndarray


@dataclass(frozen=True, eq=False)
class Experiment:
    """The images that all interventions of a run are made on, and the networks that take part.

    Attributes:
        surrogate: generates the images.
        classifier: the teacher, with K outputs. It answers on generated images; the student is not
            asked.
        codes: codes of N images.
        outcomes: numbers of the O outputs whose margins are measured; None measures all K.
        following: by concept, the direction in which the rest of the code follows it, for one
            standard deviation. What is not named is moved with all else held.
        images: the N images, uint8 (N, C, H, W), where there are such.
    """

    surrogate: TwinSurrogate
    classifier: Classifier
    codes: Codes
    outcomes: Sequence[int] | None = None
    following: Mapping[str, Codes] = field(default_factory=dict)
    images: np.ndarray | None = None

    @classmethod
    def on(
        cls,
        images: np.ndarray,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        outcomes: Sequence[int] | None = None,
    ) -> "Experiment":
        """Infer the codes of images, uint8 (N, C, H, W)."""
        codes = surrogate.encode_array(images)
        return cls(surrogate, classifier, codes, outcomes, images=images)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def other_classes(self) -> int:
        """Number of the classes, or outputs, whose margins are not measured."""
        if self.outcomes is None:
            return 0
        return len(self.classifier.class_names) - len(self.outcomes)

    def moved(self, values: Mapping[str, Tensor | float | str]) -> Codes:
        """Set concepts on every image, and let the rest of its code follow where it does."""
        codes = self.surrogate.intervene(self.codes, values)
        for name in values.keys() & self.following.keys():
            own, now = (self.surrogate.read(one, name) for one in (self.codes, codes))
            codes = codes.moved_along(self.following[name], now - own)
        return codes

    @torch.no_grad()
    def margins(self, values: Mapping[str, Tensor | float | str]) -> np.ndarray:
        """Set concepts on every image, generate it and return the teacher's margins.

        The margin of a class, its logit minus the largest of the others, does not depend on a
        constant that all logits share.

        Args:
            values: standardised value of each concept that is set: one for all images, or (N,);
                a level of a categorical feature by its name.

        Returns:
            float64 (N, O).
        """
        codes = self.moved(values)
        batches = (codes[start : start + AT_ONCE] for start in range(0, len(codes), AT_ONCE))
        task = self.classifier.task
        answers = [
            task.measures(
                self.classifier.logits(self.surrogate.generate_batched(batch)), self.outcomes
            )
            for batch in batches
        ]
        return torch.cat(answers).double().numpy()

    def either_side(self, name: str, step: float) -> tuple[Tensor, Tensor]:
        """Return each image's own value of a concept plus and minus ``step``, both (N,).

        Values are clamped to the concept's [low, high], so that no image is asked for that is
        unlike all training images.
        """
        concept = self.surrogate.concept(name)
        own = self.surrogate.read(self.codes, name)
        return (
            (own + step).clamp(concept.low, concept.high),
            (own - step).clamp(concept.low, concept.high),
        )

"""Effect strips: one concept moved over its range, and what the teacher says of each picture."""

import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects, draw
from glance_pipeline.explanations.result.explanation import EffectStrip
from glance_pipeline.explanations.result.values import displayed_unit, in_display_units
from glance_pipeline.twin.networks import TwinSurrogate


class EffectStrips:
    """Draws an effect strip of every active concept.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        steps: pictures in a strip, evenly from the 1 % to the 99 % quantile of the concept over
            the training images.
        intervention: what becomes of an image when a concept is set; by default the rest is held.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        steps: int = 7,
        intervention: Intervention | None = None,
    ) -> None:
        self.surrogate = surrogate
        self.classifier = classifier
        self.steps = steps
        self.intervene = intervention or DirectIntervention(surrogate)

    def explain(self, subjects: Subjects) -> list[list[EffectStrip]]:
        """Return the strips of each image, in the order of the surrogate's active concepts."""
        strips: list[list[EffectStrip]] = [[] for _ in range(len(subjects))]
        for name in self.surrogate.active_concepts:
            for image, strip in enumerate(self._strips_of(subjects, name)):
                strips[image].append(strip)
        return strips

    def _strips_of(self, subjects: Subjects, name: str) -> list[EffectStrip]:
        concept = self.surrogate.concept(name)
        values = torch.linspace(concept.low, concept.high, self.steps)
        codes = subjects.codes.repeat_interleave(self.steps)
        moved = self.intervene(codes, {name: values.repeat(len(subjects))})
        pictures, logits = draw(self.surrogate, self.classifier, moved)
        pictures = pictures.reshape(len(subjects), self.steps, *pictures.shape[1:])
        task, about = self.classifier.task, subjects.about
        figures = task.figures(logits, about.repeat_interleave(self.steps))
        figures = figures.view(len(subjects), self.steps)
        logits = logits.view(len(subjects), self.steps, -1)
        numbers = task.kind == "values"
        return [
            EffectStrip(
                concept=name,
                unit=displayed_unit(concept),
                values=tuple(in_display_units(concept, float(v)) for v in values),
                probabilities=() if numbers else tuple(figures[image].tolist()),
                numbers=tuple(figures[image].tolist()) if numbers else (),
                number_unit=task.unit_of(int(about[image])) if numbers else "",
                class_names=tuple(task.said(answer).name for answer in logits[image]),
                pictures=pictures[image],
                effect=self.intervene.effect,
                is_probability=concept.measure != "continuous",
            )
            for image in range(len(subjects))
        ]

"""All methods together: from images to explanations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from glance_pipeline.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations.counterfactual import CounterfactualSearch
from glance_pipeline.explanations.effect_strip import EffectStrips
from glance_pipeline.explanations.explanation import (
    ConceptValue,
    Counterfactuals,
    EffectStrip,
    Explanation,
    Importances,
    Prediction,
    Saliency,
)
from glance_pipeline.explanations.importance import ShapleyImportance
from glance_pipeline.explanations.saliency import ConceptSaliency
from glance_pipeline.explanations.sentence import describe
from glance_pipeline.explanations.subjects import Subjects
from glance_pipeline.explanations.values import concept_value, format_number, with_unit
from glance_pipeline.networks import TwinSurrogate

AT_ONCE = 64
"""Images that are worked on together; bounds memory."""


@dataclass(frozen=True)
class Source:
    """Where an image comes from.

    Attributes:
        name: as a person reads it, ``image 12`` or a file path.
        index: among the prepared images, None for a file.
        label: its true class, None where unknown.
        notes: what was done to it that a reader should know.
    """

    name: str
    index: int | None = None
    label: str | None = None
    notes: tuple[str, ...] = ()


class LocalExplanations:
    """Explains images by every method there is.

    Args:
        surrogate: the aligned twin surrogate.
        classifier: the teacher.
        background: standardised values of the active concepts of training images, (B, D).
        parameters: of the methods.
        seed: of the methods' random draws.

    Raises:
        ValueError: where the target is no class of the classifier, or where no concept is active.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        background: Tensor,
        parameters: ExplainParameters,
        seed: int = 0,
    ) -> None:
        if not surrogate.active_concepts:
            raise ValueError("the surrogate has no active concept to explain with")
        self.surrogate = surrogate
        self.classifier = classifier
        self.parameters = parameters
        self.counterfactuals = CounterfactualSearch(
            surrogate,
            classifier,
            parameters.target,
            parameters.number_of_counterfactuals,
            parameters.search,
            seed,
        )
        self.importance = ShapleyImportance(
            surrogate, classifier, background, parameters.importance, seed
        )
        self.strips = EffectStrips(surrogate, classifier, parameters.steps)
        self.saliency = ConceptSaliency(
            surrogate,
            classifier,
            background,
            parameters.saliency,
            parameters.importance.measure,
            seed,
        )

    def explain(self, images: np.ndarray, sources: Sequence[Source]) -> list[Explanation]:
        """Explain ``images``, uint8 (N, C, H, W), in their order."""
        explanations: list[Explanation] = []
        for start in range(0, len(images), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            explanations += self._explain(images[part], sources[part])
        return explanations

    def _explain(self, images: np.ndarray, sources: Sequence[Source]) -> list[Explanation]:
        subjects = Subjects.see(self.surrogate, self.classifier, images)
        counterfactuals = self.counterfactuals.explain(subjects)
        importances = self.importance.explain(subjects)
        strips = self.strips.explain(subjects)
        saliency = self.saliency.explain(subjects)
        return [
            self._put_together(
                subjects, i, source, counterfactuals[i], importances[i], strips[i], saliency[i]
            )
            for i, source in enumerate(sources)
        ]

    def _put_together(
        self,
        subjects: Subjects,
        image: int,
        source: Source,
        counterfactuals: Counterfactuals,
        importances: Importances,
        strips: list[EffectStrip],
        saliency: Saliency,
    ) -> Explanation:
        names = self.classifier.class_names
        prediction = Prediction.of(subjects.logits[image], names)
        redrawn = Prediction.of(subjects.reconstruction_logits[image], names)
        concepts = tuple(
            concept_value(
                self.surrogate.concept(name),
                float(self.surrogate.read(subjects.codes[[image]], name)),
            )
            for name in self.surrogate.active_concepts
        )
        difference = subjects.images[image].astype(float) - subjects.reconstructions[image]
        residual = float(np.abs(difference).mean() / 127.5)
        # What has two sides has no quantiles: its bounds are a clear no and a clear yes.
        numbers = [c for c in concepts if self.surrogate.concept(c.name).measure == "continuous"]
        warnings = _warnings(prediction, redrawn, residual, numbers, self.parameters)
        place = {importance.concept: k for k, importance in enumerate(importances.of)}
        order = {c.name: place[c.feature or c.name] for c in concepts}
        return Explanation(
            source=source.name,
            index=source.index,
            label=source.label,
            prediction=prediction,
            reconstruction_prediction=redrawn,
            residual_l1=residual,
            concepts=concepts,
            counterfactuals=counterfactuals,
            importances=importances,
            strips=tuple(sorted(strips, key=lambda strip: order[strip.concept])),
            sentence=describe(prediction, concepts, importances, counterfactuals),
            warnings=(*source.notes, *warnings),
            original=subjects.images[image],
            reconstruction=subjects.reconstructions[image],
            saliency=saliency,
        )


def _warnings(
    prediction: Prediction,
    redrawn: Prediction,
    residual: float,
    numbers: Sequence[ConceptValue],
    parameters: ExplainParameters,
) -> list[str]:
    """Say in words what limits an explanation."""
    warnings = []
    if redrawn.class_name != prediction.class_name:
        warnings.append(
            f"The classifier calls the reconstruction {redrawn.class_name} "
            f"({redrawn.probability:.2f}), not {prediction.class_name}: what is said here about "
            "concepts holds for the reconstruction and may not hold for the image."
        )
    if residual > parameters.residual_warning:
        warnings.append(
            f"The reconstruction differs from the image by {residual:.2f} on average (images in "
            f"−1 to 1; more than {parameters.residual_warning:.2f} is much): part of the image is "
            "not explained."
        )
    outside = [c for c in numbers if not c.low <= c.value <= c.high]
    if outside:
        listed = ", ".join(f"{c.name} {with_unit(format_number(c.value), c.unit)}" for c in outside)
        warnings.append(f"Outside what 98 % of the training images show: {listed}.")
    return warnings

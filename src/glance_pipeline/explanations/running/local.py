"""All methods together: from images to explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline import __version__
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import Effect, ExplainParameters
from glance_pipeline.explanations.counterfactuals.search import CounterfactualSearch
from glance_pipeline.explanations.importance.background import (
    background_codes,
    training_codes,
    training_rows,
)
from glance_pipeline.explanations.importance.shapley import ShapleyImportance
from glance_pipeline.explanations.interventions.causal_intervention import choose_interventions
from glance_pipeline.explanations.interventions.effect_strip import EffectStrips
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects, draw
from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import (
    SCHEMA_VERSION,
    ConceptValue,
    Counterfactuals,
    EffectStrip,
    Explanation,
    Importances,
    Saliency,
)
from glance_pipeline.explanations.result.values import concept_value
from glance_pipeline.explanations.saliency.concept_saliency import ConceptSaliency
from glance_pipeline.explanations.trust.assessment import Assessment
from glance_pipeline.explanations.trust.limits import Rarity, doubts_about, outside_the_ranges
from glance_pipeline.explanations.trust.sentence import describe
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.support.compute import runs_in_bfloat16
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Codes, TwinSurrogate


@dataclass(frozen=True)
class Source:
    """Where an image comes from.

    Attributes:
        name: as a person reads it, ``image 12`` or a file path.
        index: among the prepared images, None for a file.
        label: its true class, None if unknown.
        notes: what was done to it that a reader should know.
    """

    name: str
    index: int | None = None
    label: str | None = None
    notes: tuple[str, ...] = ()


class _Answers(NamedTuple):
    """What the methods found for one image."""

    counterfactuals: Counterfactuals
    importances: Importances
    strips: list[EffectStrip]
    saliency: Saliency
    rarity: Rarity | None


class LocalExplanations:
    """Explains images by every method there is.

    Args:
        surrogate: the aligned twin surrogate.
        classifier: the teacher.
        background: standardised values of the active concepts of training images, (B, D).
        parameters: parameters of the methods.
        seed: seed of the methods' random draws.
        interventions: what becomes of an image when concepts are set, one for each causal graph
            that the evidence allows: the first searches and draws, and counterfactuals say under
            how many they hold. See ``choose_interventions``; by default the rest is held.
        training: standardised values of the active concepts of all training images, (T, D), for the
            distance from them and for representative backgrounds; by default neither is there.
        graph: causal graph, which says what cannot be told: if its surrogate is no twin, no reason
            is given.

    Raises:
        ValueError: if the target is no class of the classifier, where no concept is active, or
            where the interventions are not of the effect that ``parameters`` name.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        background: Tensor,
        parameters: ExplainParameters,
        *,
        seed: int = 0,
        interventions: Sequence[Intervention] | None = None,
        training: Tensor | None = None,
        graph: CausalGraph | None = None,
    ) -> None:
        if not surrogate.active_concepts:
            raise ValueError("the surrogate has no active concept to explain with")
        interventions = interventions or (DirectIntervention(surrogate),)
        first = interventions[0]
        _check_effect(first.effect, parameters.effect)
        self.surrogate = surrogate
        self.classifier = classifier
        self.background = background
        self.training = training
        self.interventions = tuple(interventions)
        self.parameters = parameters
        self.seed = seed
        self.graph = graph
        self.counterfactuals = CounterfactualSearch(
            surrogate,
            classifier,
            parameters.target,
            parameters.number_of_counterfactuals,
            parameters.search,
            first,
        )
        self.importance = ShapleyImportance(
            surrogate,
            classifier,
            background,
            parameters.importance,
            seed=seed,
            intervention=first,
            training=training,
        )
        self.strips = EffectStrips(surrogate, classifier, parameters.steps, first)
        self.saliency = ConceptSaliency(
            surrogate,
            classifier,
            background,
            parameters.saliency,
            measure=parameters.importance.measure,
            seed=seed,
            intervention=first,
        )
        self.assessment = Assessment(
            surrogate, classifier, interventions, training, parameters.distance_warning
        )

    @classmethod
    def from_artifacts(
        cls,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        concepts: ConceptTable,
        records: pd.DataFrame,
        models: StructuralModels,
        parameters: ExplainParameters,
        *,
        seed: int,
        graph: CausalGraph | None,
    ) -> "LocalExplanations":
        """Put the methods together as the ``explain`` pipeline and ``Explainer`` have them.

        Args:
            surrogate: the aligned twin surrogate.
            classifier: the teacher.
            concepts: concepts of all prepared images.
            records: records of all prepared images, with their ``split``.
            models: models of the concepts; used for the causal effect alone.
            parameters: parameters of the methods.
            seed: seed of the run.
            graph: causal graph.
        """
        rows = training_rows(concepts, records)
        number = parameters.importance.backgrounds
        background = background_codes(surrogate, concepts, rows, number, seed)
        return cls(
            surrogate,
            classifier.guided_by(surrogate.respond),  # a black box has no gradients of its own
            background,
            parameters,
            seed=seed,
            interventions=choose_interventions(parameters.effect, surrogate, models),
            training=training_codes(surrogate, concepts, rows),
            graph=graph,
        )

    def explain(self, images: np.ndarray, sources: Sequence[Source]) -> list[Explanation]:
        """Explain ``images``, uint8 (N, C, H, W), in their order, ``at_once`` together."""
        explanations: list[Explanation] = []
        at_once = self.parameters.at_once
        for start in range(0, len(images), at_once):
            part = slice(start, start + at_once)
            explanations += self._explain(images[part], sources[part])
        return explanations

    def identity(self) -> dict[str, Any]:
        """Return all that an image's explanation depends on beside the image, for a fingerprint."""
        tensors, header = self.surrogate.to_weights()
        network = self.classifier.network
        chosen = {"images", "count", "num_shards", "shard_index", "report_images"}
        return {
            "surrogate": tensors,
            "surrogate_header": header,
            "classifier": dict(self.classifier.state_dict()) or self._answers(),
            "network": f"{type(network).__module__}.{type(network).__qualname__}",
            "versions": {"glance_pipeline": __version__, "torch": str(torch.__version__)},
            "specification": self.classifier.specification.model_dump(mode="json"),
            "background": self.background,
            "training": self.training,
            **{f"intervention_{k}": one.identity() for k, one in enumerate(self.interventions)},
            "parameters": self.parameters.model_dump(mode="json", exclude=chosen),
            "seed": self.seed,
            "gate": self._refusal,
            "untold": [sorted(self._untold(name)) for name in self.classifier.class_names],
            "bfloat16": runs_in_bfloat16(self.surrogate.device),
            "schema_version": SCHEMA_VERSION,
        }

    @property
    def _refusal(self) -> str:
        """Why no reason can be given; empty if one can."""
        gate = None if self.graph is None else self.graph.gate
        return "" if gate is None else str(gate)

    def _untold(self, output: str) -> frozenset[str]:
        """Return the concepts of which the graph cannot tell whether they matter for an output."""
        return frozenset() if self.graph is None else self.graph.untold(output)

    def _answers(self) -> Tensor:
        """Return what a black box, which has no weights to be known by, says of some pictures."""
        shape = self.surrogate.shape
        codes = Codes(
            torch.zeros(len(self.background), shape.concepts),
            torch.zeros(len(self.background), shape.residual),
        )
        values = dict(zip(self.surrogate.active_concepts, self.background.unbind(1), strict=True))
        return draw(self.surrogate, self.classifier, self.surrogate.intervene(codes, values))[1]

    def _explain(self, images: np.ndarray, sources: Sequence[Source]) -> list[Explanation]:
        output = self.counterfactuals.target.output
        subjects = Subjects.see(self.surrogate, self.classifier, images, output)
        counterfactuals = self.assessment.complete(subjects, self.counterfactuals.explain(subjects))
        rarities = self.assessment.rarities(subjects.codes)
        answers = zip(
            counterfactuals,
            self.importance.explain(subjects),
            self.strips.explain(subjects),
            self.saliency.explain(subjects),
            rarities,
            strict=True,
        )
        return [
            self._put_together(subjects, image, sources[image], _Answers(*found))
            for image, found in enumerate(answers)
        ]

    def _concepts_of(self, code: Codes) -> tuple[ConceptValue, ...]:
        """Return the active concepts of one image, as the student reads them."""
        read = {name: self.surrogate.read(code, name) for name in self.surrogate.active_concepts}
        return tuple(
            concept_value(self.surrogate.concept(name), float(value))
            for name, value in read.items()
        )

    def _put_together(
        self,
        subjects: Subjects,
        image: int,
        source: Source,
        found: _Answers,
    ) -> Explanation:
        counterfactuals, importances, strips, saliency, rarity = found
        task = self.surrogate.task_of(self.classifier)
        prediction = Prediction.of(subjects.logits[image], task)
        redrawn = Prediction.of(subjects.reconstruction_logits[image], task)
        alike = subjects.alike(task, image)
        concepts = self._concepts_of(subjects.codes[[image]])
        residual = subjects.residual_l1(image)
        # What has two sides has no quantiles: its bounds are a clear no and a clear yes.
        numbers = [c for c in concepts if self.surrogate.concept(c.name).measure == "continuous"]
        doubts = doubts_about(
            prediction, redrawn, residual, self.parameters.residual_warning, rarity, alike
        )
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
            strips=_by_importance(strips, concepts, importances),
            sentence=describe(
                prediction,
                concepts,
                importances,
                counterfactuals,
                [doubt.reason for doubt in doubts],
                is_twin=not self._refusal,
                untold=self._untold(importances.class_name),
            ),
            warnings=(
                *filter(None, [self._refusal]),
                *source.notes,
                *(doubt.warning for doubt in doubts),
                *outside_the_ranges(numbers),
            ),
            original=subjects.images[image],
            reconstruction=subjects.reconstructions[image],
            effect=self.parameters.effect,
            further_out=None if rarity is None else rarity.share,
            saliency=saliency,
            redrawn_alike=None if task.kind == "one_of" else alike,
        )


def _by_importance(
    strips: Sequence[EffectStrip], concepts: Sequence[ConceptValue], importances: Importances
) -> tuple[EffectStrip, ...]:
    """Return the strips in the order of the importances; a level stands where its feature does."""
    place = {importance.concept: k for k, importance in enumerate(importances.of)}
    order = {concept.name: place[concept.feature or concept.name] for concept in concepts}
    return tuple(sorted(strips, key=lambda strip: order[strip.concept]))


def _check_effect(found: Effect, wanted: Effect) -> None:
    if found != wanted:
        raise ValueError(
            f"explain.effect: found interventions of the {found} effect; those of the "
            f"{wanted} one are wanted"
        )

"""Explanations of single images: counterfactuals, importances, effect strips, saliency, a sentence.

One method to a file; each is built from a surrogate and a classifier and called with
``explain(subjects)``, which returns one result per image.
"""

from glance_pipeline.explanations.counterfactuals.search import CounterfactualSearch
from glance_pipeline.explanations.importance.background import background_codes, training_codes
from glance_pipeline.explanations.importance.shapley import ShapleyImportance
from glance_pipeline.explanations.interventions.causal_intervention import (
    CausalIntervention,
    choose_interventions,
)
from glance_pipeline.explanations.interventions.effect_strip import EffectStrips
from glance_pipeline.explanations.interventions.subjects import Subjects
from glance_pipeline.explanations.result.explanation import Explanation
from glance_pipeline.explanations.running.local import LocalExplanations, Source
from glance_pipeline.explanations.saliency.concept_saliency import ConceptSaliency

__all__ = [
    "CausalIntervention",
    "ConceptSaliency",
    "CounterfactualSearch",
    "EffectStrips",
    "Explanation",
    "LocalExplanations",
    "ShapleyImportance",
    "Source",
    "Subjects",
    "background_codes",
    "choose_interventions",
    "training_codes",
]

"""Explanations of single images: counterfactuals, importances, effect strips, saliency, a sentence.

One method to a file; each is built from a surrogate and a classifier and called with
``explain(subjects)``, which returns one result an image.
"""

from glance_pipeline.explanations.background import background_codes, training_codes
from glance_pipeline.explanations.causal_intervention import (
    CausalIntervention,
    choose_interventions,
)
from glance_pipeline.explanations.counterfactual import CounterfactualSearch
from glance_pipeline.explanations.effect_strip import EffectStrips
from glance_pipeline.explanations.explanation import Explanation
from glance_pipeline.explanations.importance import ShapleyImportance
from glance_pipeline.explanations.local import LocalExplanations, Source
from glance_pipeline.explanations.saliency import ConceptSaliency
from glance_pipeline.explanations.subjects import Subjects

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

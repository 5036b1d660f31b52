"""Loss terms, one file each: an object with a name that maps a ``TwinPass`` to a scalar."""

from collections.abc import Callable
from typing import Any

from glance_pipeline.config.training import StageParameters
from glance_pipeline.twin.objectives.adaptive_augmentation import AdaptiveAugmentation
from glance_pipeline.twin.objectives.adversarial import Adversarial, FeatureAdversarial
from glance_pipeline.twin.objectives.alignment import Alignment
from glance_pipeline.twin.objectives.composition import Composition
from glance_pipeline.twin.objectives.decorrelation import Decorrelation
from glance_pipeline.twin.objectives.derivatives.hessian_penalty import HessianPenalty
from glance_pipeline.twin.objectives.derivatives.orojar import OrthogonalJacobian
from glance_pipeline.twin.objectives.distillation import Distillation
from glance_pipeline.twin.objectives.imitation import Imitation
from glance_pipeline.twin.objectives.intervention_consistency import (
    InterventionAnswer,
    InterventionConsistency,
)
from glance_pipeline.twin.objectives.proximity import Proximity
from glance_pipeline.twin.objectives.reconstruction import Reconstruction
from glance_pipeline.twin.objectives.sufficiency import Sufficiency
from glance_pipeline.twin.objectives.unnamed_preservation import UnnamedPreservation
from glance_pipeline.twin.objectives.variation_predictability import VariationPredictability

OBJECTIVES: dict[str, Callable[[], Any]] = {
    objective.name: objective
    for objective in (
        Adversarial,
        Alignment,
        Composition,
        Decorrelation,
        Distillation,
        FeatureAdversarial,
        HessianPenalty,
        Imitation,
        InterventionAnswer,
        InterventionConsistency,
        OrthogonalJacobian,
        Proximity,
        Reconstruction,
        Sufficiency,
        UnnamedPreservation,
        VariationPredictability,
    )
}


def build_objective(name: str) -> Any:
    """Return the objective called ``name``; raises ``KeyError`` naming those there are."""
    if name not in OBJECTIVES:
        raise KeyError(f"no objective {name!r}; there are {sorted(OBJECTIVES)}")
    return OBJECTIVES[name]()


def build_objectives(parameters: StageParameters) -> dict[str, Any]:
    """Return the objectives of a stage by name, in the order of its parameters."""
    objectives = {str(name): build_objective(name) for name in parameters.objectives}
    if parameters.augmentation is not None:
        augmentation = AdaptiveAugmentation(parameters.augmentation)
        objectives[Adversarial.name] = Adversarial(augmentation=augmentation)
    return objectives

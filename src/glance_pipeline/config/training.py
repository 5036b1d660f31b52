"""Parameters that the three training stages share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glance_pipeline.config.augmentation import AugmentationParameters

ObjectiveName = Literal[
    "reconstruction",
    "distillation",
    "sufficiency",
    "adversarial",
    "feature_adversarial",
    "hessian_penalty",
    "orojar",
    "variation_predictability",
    "composition",
    "decorrelation",
    "alignment",
    "intervention_consistency",
    "intervention_answer",
    "proximity",
    "unnamed_preservation",
    "imitation",
]


UnitInterval = Annotated[float, Field(ge=0, lt=1)]


class ObjectiveSchedule(BaseModel):
    """How much one objective counts, and from when.

    Attributes:
        weight: its factor in the sum of objectives; 0 leaves it out.
        start: share of the stage's steps after which the objective starts to count, 0 … 1.
        ramp: share of the stage's steps over which its weight then rises from 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(ge=0)
    start: float = Field(0.0, ge=0, lt=1)
    ramp: float = Field(0.0, ge=0, le=1)

    def weight_at(self, progress: float) -> float:
        """Return the weight at ``progress`` 0 … 1 of the stage."""
        if progress < self.start:
            return 0.0
        if self.ramp == 0:
            return self.weight
        return self.weight * min(1.0, (progress - self.start) / self.ramp)


class StageParameters(BaseModel):
    """One training stage.

    Attributes:
        steps: optimiser steps of the surrogate.
        batch_size: images per step.
        learning_rate: learning rate of Adam, for surrogate and critics.
        betas: β₁ and β₂ of Adam.
        decay: share of the steps, at the end, over which the rate falls to 0 along a half cosine.
        ema_images: half-life of the exponential moving average, in images (Karras et al. 2018).
        intervened: share of a batch whose concepts are intervened on; the rest has its residual
            codes swapped.
        critic_every: the critics learn on every ``critic_every``-th step.
        precision: number format in which the networks are trained: ``bfloat16``, ``float32``, or
            ``auto``, which is ``compute.precision``.
        augmentation: adaptive changes to the images that the critic sees, for small data sets;
            null shows them unchanged.
        objectives: weight and schedule by name.
        log_every: steps between two points of the training curves.
        checkpoint_every: steps between two checkpoints.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(ge=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(2e-3, gt=0)
    betas: tuple[UnitInterval, UnitInterval] = (0.5, 0.99)
    decay: float = Field(0.3, ge=0, le=1)
    ema_images: float = Field(4000, gt=0)
    intervened: float = Field(0.0, ge=0, le=1)
    critic_every: int = Field(1, ge=1)
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    augmentation: AugmentationParameters | None = None
    objectives: dict[ObjectiveName, ObjectiveSchedule]
    log_every: int = Field(50, ge=1)
    checkpoint_every: int = Field(250, ge=1)

    def of_black_box(self) -> "StageParameters":
        """Return the stage for a teacher without gradients: ``imitation`` is the last objective."""
        objectives = dict(self.objectives)
        imitation = objectives.pop("imitation", ObjectiveSchedule(weight=1.0))
        return self.model_copy(update={"objectives": {**objectives, "imitation": imitation}})

    @model_validator(mode="after")
    def _has_objectives(self) -> "StageParameters":
        if not self.objectives:
            raise ValueError("objectives: a stage needs at least one")
        if self.augmentation is not None and "adversarial" not in self.objectives:
            raise ValueError(
                "augmentation: it changes what the critic of images sees, but the objectives are "
                f"{sorted(self.objectives)}; 'adversarial' is wanted among them, or augmentation: "
                "null"
            )
        return self

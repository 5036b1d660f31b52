"""Parameters of the classify pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class ClassifyParameters(BaseModel):
    """The demo teacher and its training.

    Attributes:
        width: channels of the first convolution.
        features: width of the penultimate layer.
        steps: optimiser steps.
        batch_size: images per step.
        learning_rate: initial rate of Adam; it falls to 0 along a half cosine.
        label_smoothing: smoothing of the labels in the cross-entropy. It keeps the logits in a
            range in which effects can be measured.
        shift: images are shifted by up to this many pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(16, ge=1)
    features: int = Field(64, ge=1)
    steps: int = Field(800, ge=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(2e-3, gt=0)
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    shift: int = Field(2, ge=0)

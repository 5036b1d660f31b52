"""Parameters of the align pipeline."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glance_pipeline.config.training import StageParameters


class ReaderParameters(BaseModel):
    """The attribute reader A, a small regressor of the context features trained on real images.

    Attributes:
        widths: feature channels at 4, 8, …, image height.
        hidden: width of its hidden layer.
        steps: optimiser steps.
        batch_size: images per step.
        learning_rate: initial rate of Adam; it falls to 0 along a half cosine.
        independence: exponent of the density ratio Π p(c_j) / p(c) that weights the training
            images; 0 trains on the data as they are, 1 as if the context features were independent.
        largest_weight: value at which the ratios are clipped.
        refresh_every: steps of ``align`` between two at which generated images are measured and the
            reader learns from them; 0 leaves it as real images made it.
        refresh_rate: learning rate of Adam on those.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    widths: tuple[int, ...]
    hidden: int = Field(128, ge=1)
    steps: int = Field(600, ge=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(2e-3, gt=0)
    independence: float = Field(1.0, ge=0, le=1)
    largest_weight: float = Field(10.0, gt=1)
    refresh_every: int = Field(4, ge=0)
    refresh_rate: float = Field(5e-4, gt=0)


class AlignParameters(BaseModel):
    """Attribute reader, change of basis, third training stage.

    Attributes:
        reader: the attribute reader.
        basis: what the change of basis starts from: ``regression`` of the context features on
            all codes together, or ``assignment`` of one code dimension to each feature.
        ridge: penalty of the regression of context features on codes, per image.
        hold_unnamed: whether measured properties that no feature tells are held while a feature is
            moved that goes with them; else they follow it as far as they go together.
        stage: its training.
        prune_below: a latent concept that moves the image by less than this share of what the
            strongest concept does is pruned.
        units: unit of each context feature, by name; features that are not named have none.
        kinds: kind of a context feature, by name, if its values do not show it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reader: ReaderParameters
    basis: Literal["regression", "assignment"] = "regression"
    ridge: float = Field(1e-3, ge=0)
    hold_unnamed: bool = True
    stage: StageParameters
    prune_below: float = Field(0.05, ge=0, lt=1)
    units: dict[str, str] = Field(default_factory=dict)
    kinds: dict[str, Literal["continuous", "binary", "categorical"]] = Field(default_factory=dict)

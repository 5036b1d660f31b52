"""Parameters of the evaluate pipeline."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EvaluateParameters(BaseModel):
    """What is measured, and on which images.

    Attributes:
        split: the held-out split.
        delta: how far concepts are moved for the intervention matrix, in standard deviations.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Literal["validation", "test"] = "test"
    delta: float = Field(1.0, gt=0)

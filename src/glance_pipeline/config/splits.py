"""Shares of the splits."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SplitFractions(BaseModel):
    """Shares of the images in each split; they sum to 1.

    Attributes:
        train: share of the images that networks are trained on.
        validation: share that nothing is trained on, kept for choosing parameters; ``evaluate``
            measures on it if ``evaluate.split`` says so.
        test: share that nothing is trained on; interventions, explanations and ``evaluate`` take
            their images from it unless told otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: float = Field(default=0.8, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _sum_to_one(self) -> "SplitFractions":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, validation and test sum to {total:g}, wanted 1")
        return self

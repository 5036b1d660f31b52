"""Parameters of the distill pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from glance_pipeline.config.training import StageParameters


class SurrogateParameters(BaseModel):
    """Sizes of the twin surrogate.

    Attributes:
        concepts: dimensions of the concept code before alignment; each becomes a latent concept.
        residual: dimensions of the residual code before alignment; every context feature takes
            one of them for its aligned concept.
        widths: feature channels at 4, 8, …, image height.
        style: width of w and of the mapping network.
        mapping_layers: layers of the mapping network.
        hidden: width of the student's hidden layers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    concepts: int = Field(8, ge=1)
    residual: int = Field(52, ge=1)
    widths: tuple[int, ...]
    style: int = Field(128, ge=1)
    mapping_layers: int = Field(2, ge=2)
    hidden: int = Field(128, ge=1)


class DistillParameters(BaseModel):
    """Sizes of the surrogate and its first training stage.

    Attributes:
        surrogate: sizes of the networks.
        stage: its training.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    surrogate: SurrogateParameters
    stage: StageParameters

"""Parameters of the disentangle pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from glance_pipeline.config.training import StageParameters


class DisentangleParameters(BaseModel):
    """The second training stage.

    Attributes:
        stage: its training.
        prune_below: a concept that moves the image by less than this share of what the strongest
            one does is pruned: named in the log and left out of graph and explanations.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: StageParameters
    prune_below: float = Field(0.05, ge=0, lt=1)

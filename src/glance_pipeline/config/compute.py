"""Parameters that belong to no single pipeline: the seed and the use of the machine."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt


class ComputeParameters(BaseModel):
    """How much of the machine to use.

    Attributes:
        threads: torch threads; None takes every available core.
        workers: joblib workers; None takes every available core.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    threads: PositiveInt | None = None
    workers: PositiveInt | None = None


class SharedParameters(BaseModel):
    """What ``parameters.yml`` holds beside the blocks of the pipelines, which it ignores.

    Attributes:
        seed: of every random draw of a run.
        compute: use of the machine.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    seed: NonNegativeInt
    compute: ComputeParameters

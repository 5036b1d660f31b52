"""Parameters of the machine: how many threads and workers to use."""

from pydantic import BaseModel, ConfigDict, PositiveInt


class ComputeParameters(BaseModel):
    """How much of the machine to use.

    Attributes:
        threads: torch threads; None takes every available core.
        workers: joblib workers; None takes every available core.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: PositiveInt | None = None
    workers: PositiveInt | None = None

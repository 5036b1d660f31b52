"""Parameters that belong to no single pipeline: the seed and the use of the machine."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt


class ComputeParameters(BaseModel):
    """How much of the machine to use.

    Attributes:
        threads: torch threads; None takes every available core.
        workers: joblib workers; None takes every available core.
        device: where the networks run; ``auto`` takes the GPU where torch can use one.
        precision: that drawing and training run in where ``stage.precision`` says ``auto``, and
            that the search of counterfactuals feels its way in: ``bfloat16``, ``float32``, or
            ``auto``, which takes bfloat16 where the processor multiplies in it. The classifier is
            always asked in float32.
        processes: of a training stage, which share each batch; ``auto`` takes one for each GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    threads: PositiveInt | None = None
    workers: PositiveInt | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    processes: PositiveInt | Literal["auto"] = 1


class SharedParameters(BaseModel):
    """What ``parameters.yml`` holds beside the blocks of the pipelines, which it ignores.

    Attributes:
        seed: of every random draw of a run.
        rehearse: whether a long training is preceded by a rehearsal of all that comes after it.
        compute: use of the machine.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    seed: NonNegativeInt
    rehearse: bool = True
    compute: ComputeParameters

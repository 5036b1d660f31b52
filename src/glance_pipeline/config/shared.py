"""Parameters that belong to no single pipeline: the seed and the use of the machine."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt


class ComputeParameters(BaseModel):
    """How much of the machine to use.

    Attributes:
        threads: number of torch threads; null uses every available core, or as many as the
            environment variable ``OMP_NUM_THREADS`` allows.
        workers: number of joblib workers; null uses every available core.
        device: where the networks run; ``auto`` uses the GPU if torch can use one.
        precision: number format in which images are drawn, stages whose ``precision`` is ``auto``
            are trained, and counterfactuals are searched: ``bfloat16``, ``float32``, or ``auto``,
            which is bfloat16 if the processor multiplies in it. The classifier is always asked in
            float32.
        processes: number of processes that share each batch of a training stage; ``auto`` starts
            one per GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    threads: PositiveInt | None = None
    workers: PositiveInt | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    processes: PositiveInt | Literal["auto"] = 1


class SharedParameters(BaseModel):
    """Parameters that belong to no single pipeline.

    Attributes:
        seed: seed of every random draw of a run; the same seed gives the same results.
        rehearse: whether a long training is preceded by a rehearsal of all that comes after it.
        compute: how much of the machine to use.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    seed: NonNegativeInt
    rehearse: bool = True
    compute: ComputeParameters

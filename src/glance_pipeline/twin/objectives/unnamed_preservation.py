"""Unnamed preservation: moving an aligned concept leaves what no concept names where it was."""

from typing import cast

import torch
from torch import Tensor

from glance_pipeline.twin.objectives.twin_pass import TwinPass


class UnnamedPreservation:
    """mean (P(G(u′, n)) − P(G(u, n)) − (u′ − u) F)² where aligned concepts alone moved.

    P reads measured properties that the context features do not tell, in standard deviations
    (``context/watched.py``); F says how far one that is bound to a feature follows it. Properties
    count for as much as the aligned concepts do together.
    """

    name = "unnamed_preservation"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where no property is read."""
        count, rows = step.aligned, step.of_aligned_alone
        after = step.reading[rows, count:]
        if not after.numel():
            return step.recombination.sum() * 0.0
        assert step.reader is not None
        with torch.no_grad():
            before = step.reader(step.reconstruction)[rows, count:].float()
            moved = (step.recombined_codes.concepts - step.codes.concepts)[rows, :count]
            wanted = before + moved @ cast(Tensor, step.reader.follows)
        return (after - wanted).square().mean()

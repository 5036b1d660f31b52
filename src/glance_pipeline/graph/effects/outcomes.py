"""What the teacher answers to generated images: the outcome of every intervention.

What is measured of an output is for its task to say: the margin of a class, the logit of a label, a
number in its unit. All are called margins here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.twin.networks import Codes, TwinSurrogate

_BATCH = 256


class Changes(NamedTuple):
    """What moving one concept did to each of N images.

    Attributes:
        margins: float64 (N, K) of K outputs, margin above minus margin below, in their units.
        steps: float64 (N,), distance between above and below, in standard deviations, ≥ 0.
    """

    margins: np.ndarray
    steps: np.ndarray


@torch.no_grad()
def margins_of(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    codes: Codes,
    outcomes: Sequence[int] | None = None,
) -> np.ndarray:
    """Generate the images of N codes and return the teacher's margins, float64 (N, O).

    The margin of a class, a logit minus the largest of the others, does not depend on the constant
    that all logits may share.

    Args:
        surrogate: generates.
        classifier: the teacher, with K outputs.
        codes: of N images.
        outcomes: numbers of the O outputs whose margins are wanted; None takes all K.
    """
    batches = (codes[start : start + _BATCH] for start in range(0, len(codes), _BATCH))
    answers = [
        classifier.task.measures(classifier.logits(surrogate.generate_batched(batch)), outcomes)
        for batch in batches
    ]
    return torch.cat(answers).double().numpy()

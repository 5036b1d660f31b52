"""What the teacher answers to generated images: the outcome of every intervention."""

from typing import NamedTuple

import numpy as np
import torch

from glance_pipeline.classifier import Classifier, margins
from glance_pipeline.networks import Codes, TwinSurrogate

_BATCH = 256


class Changes(NamedTuple):
    """What moving one concept did to each of N images.

    Attributes:
        margins: float64 (N, K), margin above minus margin below, in logits.
        steps: float64 (N,), distance between above and below, in standard deviations, ≥ 0.
    """

    margins: np.ndarray
    steps: np.ndarray


@torch.no_grad()
def margins_of(surrogate: TwinSurrogate, classifier: Classifier, codes: Codes) -> np.ndarray:
    """Generate the images of N codes and return the teacher's margins, float64 (N, K), in logits.

    A margin, a logit minus the largest of the others, does not depend on the constant that all
    logits may share.
    """
    answers = [
        margins(classifier.logits(surrogate.generate_batched(codes[start : start + _BATCH])))
        for start in range(0, len(codes), _BATCH)
    ]
    return torch.cat(answers).double().numpy()

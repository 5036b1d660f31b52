"""An effect of a concept on a teacher's margin, true or found: measured in one way."""

from dataclasses import dataclass

import numpy as np
import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.graph.effects.average_effects import change_by_intervention
from glance_pipeline.graph.effects.experiment import Changes, Experiment
from glance_pipeline.twin.networks import TwinSurrogate

YES = 1
"""Number of the class whose margin is looked at."""


@dataclass(frozen=True)
class Effect:
    """What one standard deviation of a concept does to the margin, in logits, over N images.

    Attributes:
        mean: signed.
        magnitude: mean absolute effect of an image.
        low_half: signed mean over the images of the lower half; None if nothing halves them.
        high_half: likewise, upper half.
    """

    mean: float
    magnitude: float
    low_half: float | None = None
    high_half: float | None = None


def effect_of(changes: Changes, in_high_half: np.ndarray | None = None) -> Effect:
    """Average over images: the sum of all changes over the sum of all steps.

    Args:
        changes: of N images.
        in_high_half: bool (N,), which half an image is in.
    """

    def mean(rows: np.ndarray) -> float:
        return float(changes.margins[rows, YES].sum() / changes.steps[rows].sum())

    everything = np.ones(len(changes.steps), bool)
    magnitude = float(np.abs(changes.margins[:, YES]).sum() / changes.steps.sum())
    if in_high_half is None:
        return Effect(mean(everything), magnitude)
    return Effect(mean(everything), magnitude, mean(~in_high_half), mean(in_high_half))


def found_changes(
    surrogate: TwinSurrogate, classifier: Classifier, images: np.ndarray, step: float
) -> dict[str, Changes]:
    """Intervene on every active concept and ask the teacher about the generated images.

    One standard deviation of an aligned concept is that of its context feature; that of a latent
    one is taken over ``images``, for training does not hold it at 1.

    Args:
        surrogate: after alignment.
        classifier: the teacher.
        images: held out, uint8 (N, C, H, W).
        step: to either side, in standard deviations.

    Returns:
        Changes by concept; a concept that does not vary over the training images is left out.
    """
    experiment = Experiment.on(images, surrogate, classifier)
    changes = {}
    for name in surrogate.active_concepts:
        concept = surrogate.concept(name)
        own = surrogate.read(experiment.codes, name)
        spread = 1.0 if concept.kind == "aligned" else float(torch.std(own))
        if not concept.low < concept.high or spread == 0:
            continue
        change = change_by_intervention(experiment, name, step * spread)
        changes[name] = Changes(change.margins, change.steps / spread)
    return changes

"""True effects: the same held-out digits, redrawn with one feature moved, shown to the teacher."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from benchmarks.glassbox.digits import DRAWN, Digits, draw, with_mark
from glance_pipeline.classifiers.classifier import Classifier, margins
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.graph.effects.experiment import Changes

_LARGEST_SCALE = 1.4  # a digit fills 20 px of 28, and must fit
_CANVAS = 40  # px, room for an enlarged source digit


@dataclass(frozen=True)
class Redrawn:
    """Held-out digits with one feature raised and lowered, all else as it was.

    Attributes:
        above: uint8 (n, 1, H, W).
        below: likewise.
        steps: distance between the two, (n,), in standard deviations of the training split.
    """

    above: np.ndarray
    below: np.ndarray
    steps: np.ndarray


def redraw(
    digits: Digits, feature: str, rows: np.ndarray, step: float, workers: int | None
) -> Redrawn:
    """Draw some digits again with one feature moved by ``step`` standard deviations either way.

    Values are kept between the 1 % and the 99 % quantile of the training images, as a surrogate's
    interventions are. Length is moved by enlarging the source digit, strokes staying as thick as
    they are; how far it got is measured.

    Args:
        digits: digits of the scenario.
        feature: a column of ``digits.context``.
        rows: numbers of the images.
        step: in standard deviations of the feature over the training images.
        workers: processes; None takes every available core.
    """
    training = digits.context[feature].to_numpy()[digits.rows_of("train")]
    deviation = float(training.std())
    low, high = np.quantile(training, [0.01, 0.99])
    own = (digits.intended if feature in digits.intended else digits.context)[feature]
    values, intended = own.to_numpy()[rows], digits.intended.iloc[rows]
    sources, size = digits.sources[rows], digits.images.shape[-1]
    drawn, reached = [], []
    for sign in (1, -1):
        wanted = np.clip(values + sign * step * deviation, low, high)
        if feature == "length":
            plain = draw(_scaled(sources, wanted / values), intended[DRAWN], size, workers)
            images = with_mark(plain, intended)
            wanted = measure_digits(plain, n_jobs=workers, progress=False)["length"].to_numpy()
        else:
            images = draw(sources, intended.assign(**{feature: wanted}), size, workers)
        drawn.append(images)
        reached.append(wanted)
    return Redrawn(drawn[0], drawn[1], (reached[0] - reached[1]) / deviation)


@torch.no_grad()
def true_changes(redrawn: Redrawn, classifier: Classifier) -> Changes:
    """Return what the feature did to the teacher's margins, as ``Changes`` of interventions."""
    sides = [
        margins(classifier.answers(images).logits) for images in (redrawn.above, redrawn.below)
    ]
    return Changes((sides[0] - sides[1]).double().numpy(), redrawn.steps)


def _scaled(sources: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Enlarge digits (n, h, h) about their centres, each by its factor, on a larger canvas."""
    middle = (sources.shape[1] - 1) / 2
    scaled = []
    for source, factor in zip(sources, factors, strict=True):
        zoom = 1 / np.clip(factor, 1 / _LARGEST_SCALE, _LARGEST_SCALE)
        offset = middle - zoom * (_CANVAS - 1) / 2
        enlarged = ndimage.affine_transform(
            source.astype(float), [zoom, zoom], offset, (_CANVAS, _CANVAS), order=1
        )
        scaled.append(np.clip(np.round(enlarged), 0, 255).astype(np.uint8))
    return np.stack(scaled)

"""Average effects of do(concept) on the teacher's margins, measured on generated images."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from glance_pipeline.classifier import Classifier, margins
from glance_pipeline.networks import Codes, TwinSurrogate
from glance_pipeline.seeding import numpy_generator

_BATCH = 256


class Changes(NamedTuple):
    """What moving one concept did to each of N images.

    Attributes:
        margins: float64 (N, K), margin above minus margin below, in logits.
        steps: float64 (N,), distance between above and below, in standard deviations, ≥ 0.
    """

    margins: np.ndarray
    steps: np.ndarray


class Effects(NamedTuple):
    """Average effects of one concept on K margins, in logits per standard deviation.

    Attributes:
        value: (K,).
        resampled: (resamples, K), the same on bootstrap resamples of the images.
        magnitude: (K,), mean over images of the absolute effect.
    """

    value: np.ndarray
    resampled: np.ndarray
    magnitude: np.ndarray


@torch.no_grad()
def change_by_intervention(
    surrogate: TwinSurrogate, classifier: Classifier, codes: Codes, name: str, step: float
) -> Changes:
    """Generate each image with one concept raised and lowered, and ask the teacher.

    Args:
        surrogate: generates.
        classifier: the teacher f; it answers on generated images, the student is not asked.
        codes: of N images.
        name: the concept to move.
        step: to either side of the image's own value, in standard deviations of the code. Values
            are clamped to the concept's [low, high], so that no image is asked for that is unlike
            all training images; an image beyond that interval moves less.
    """
    concept = surrogate.concept(name)
    own = surrogate.read(codes, name)
    above = (own + step).clamp(concept.low, concept.high)
    below = (own - step).clamp(concept.low, concept.high)
    changes = []
    for start in range(0, len(codes), _BATCH):
        rows = slice(start, start + _BATCH)
        high, low = (
            margins(
                classifier.logits(
                    surrogate.generate_batched(surrogate.intervene(codes[rows], {name: side[rows]}))
                )
            )
            for side in (above, below)
        )
        changes.append((high - low).double())
    return Changes(torch.cat(changes).numpy(), (above - below).double().numpy())


def average_effects(changes: Changes, resamples: int, generator: np.random.Generator) -> Effects:
    """Average the effect over images: the sum of all changes over the sum of all steps.

    The ratio of sums, and not the mean of ratios, leaves images that could hardly move without
    weight. Its bootstrap draws images, with replacement.

    Raises:
        ValueError: where no image could move.
    """
    if not changes.steps.sum() > 0:
        raise ValueError("the concept could not be moved on any image")
    images = len(changes.steps)
    # How often each image is drawn; at least half of the total step keeps a ratio defined.
    counts = generator.multinomial(images, np.full(images, 1 / images), size=resamples)
    steps = np.maximum(counts @ changes.steps, 1e-9)
    return Effects(
        value=changes.margins.sum(0) / changes.steps.sum(),
        resampled=(counts @ changes.margins) / steps[:, None],
        magnitude=np.abs(changes.margins).sum(0) / changes.steps.sum(),
    )


def measure_effects(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    names: Sequence[str],
    *,
    step: float,
    resamples: int,
    seed: int,
) -> tuple[dict[str, Effects], dict[str, str]]:
    """Measure the average effect of each concept on each class's margin, with a progress bar.

    Args:
        surrogate: the twin surrogate.
        classifier: the teacher.
        images: held-out images, uint8, (N, C, H, W).
        names: concepts to move.
        step: in standard deviations of the code.
        resamples: bootstrap resamples of the images.
        seed: of the run.

    Returns:
        Effects by concept, and the reason by name of each concept that could not be moved.
    """
    codes = surrogate.encode_array(images)
    effects: dict[str, Effects] = {}
    exclusions: dict[str, str] = {}
    for name in tqdm(names, desc="interventions", unit="concept"):
        concept = surrogate.concept(name)
        if not concept.low < concept.high:
            exclusions[name] = f"its code does not vary: [{concept.low:g}, {concept.high:g}]"
            continue
        changes = change_by_intervention(surrogate, classifier, codes, name, step)
        effects[name] = average_effects(
            changes, resamples, numpy_generator(seed, "interventions", name)
        )
    return effects, exclusions

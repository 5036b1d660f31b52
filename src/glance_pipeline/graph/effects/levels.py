"""Interventions on a categorical feature: every image is generated once with each level."""

from collections.abc import Sequence

import numpy as np

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.graph.effects.doses import Response, summarise_response
from glance_pipeline.graph.effects.outcomes import Changes, margins_of
from glance_pipeline.twin.networks import Codes, TwinSurrogate


def change_by_level(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    codes: Codes,
    names: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
    outcomes: Sequence[int] | None = None,
) -> tuple[dict[str, Changes], Response]:
    """Compare do(feature = level) with the other levels, for each level of a feature.

    The other levels count by their frequency over the training images. A step is the distance
    between no and yes in the level's code, so that effects are, as those of a binary feature, in
    logits per standard deviation of the level's 0/1 column.

    Args:
        surrogate: generates.
        classifier: the teacher.
        codes: of N images.
        names: the concepts of the levels to compare, all of one feature.
        resamples: bootstrap resamples of the images, for the curve.
        generator: draws them.
        outcomes: numbers of the classes whose margins are wanted; None takes all.

    Returns:
        Changes by concept, and the margins at every level of the feature.
    """
    feature = surrogate.concept(names[0]).feature
    levels = [concept for concept in surrogate.concepts if concept.feature == feature]
    moved = (surrogate.intervene(codes, {feature: level.levels[0]}) for level in levels)
    margins = np.stack([margins_of(surrogate, classifier, one, outcomes) for one in moved], axis=1)
    frequency = np.array([level.mean for level in levels])
    changes = {}
    for index, level in enumerate(levels):
        if level.name not in names:
            continue
        weights = frequency.copy()
        weights[index] = 0.0
        others = np.tensordot(margins, weights / weights.sum(), axes=(1, 0))
        steps = np.full(len(codes), level.high - level.low)
        changes[level.name] = Changes(margins[:, index] - others, steps)
    positions = np.arange(len(levels), dtype=np.float64)
    labels = tuple(level.levels[0] for level in levels)
    return changes, summarise_response(margins, positions, positions, labels, resamples, generator)

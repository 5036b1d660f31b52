"""Interventions on a categorical feature: every image is generated once with each level."""

from collections.abc import Sequence

import numpy as np

from glance_pipeline.graph.effects.doses import Response, summarise_response
from glance_pipeline.graph.effects.experiment import Changes, Experiment


def change_by_level(
    experiment: Experiment,
    names: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> tuple[dict[str, Changes], Response]:
    """Compare do(feature = level) with the other levels, for each level of a feature.

    The other levels count by their frequency over the training images. A step is the distance
    between no and yes in the level's code, so that effects are, as those of a binary feature, in
    logits per standard deviation of the level's 0/1 column.

    Args:
        experiment: the images, and the networks.
        names: the concepts of the levels to compare, all of one feature.
        resamples: bootstrap resamples of the images, for the curve.
        generator: draws them.

    Returns:
        Changes by concept, and the margins at every level of the feature.
    """
    surrogate = experiment.surrogate
    feature = surrogate.concept(names[0]).feature
    levels = [concept for concept in surrogate.concepts if concept.feature == feature]
    margins = np.stack([experiment.margins({feature: level.levels[0]}) for level in levels], axis=1)
    frequency = np.array([level.mean for level in levels])
    changes = {}
    for index, level in enumerate(levels):
        if level.name not in names:
            continue
        weights = frequency.copy()
        weights[index] = 0.0
        others = np.tensordot(margins, weights / weights.sum(), axes=(1, 0))
        steps = np.full(len(experiment), level.high - level.low)
        changes[level.name] = Changes(margins[:, index] - others, steps)
    positions = np.arange(len(levels), dtype=np.float64)
    labels = tuple(level.levels[0] for level in levels)
    return changes, summarise_response(margins, positions, positions, labels, resamples, generator)

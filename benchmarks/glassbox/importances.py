"""Concept importances of held-out images, averaged: which concepts does an explanation name?"""

import numpy as np
import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations import ShapleyImportance, Subjects
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import TwinSurrogate

SAMPLED = ImportanceParameters(exact_up_to=0, backgrounds=24, permutations=48)
"""Sampled whatever the number of concepts, so that a case costs half a minute at most."""


def mean_importances(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    training: np.ndarray,
    images: np.ndarray,
    seed: int,
    parameters: ImportanceParameters = SAMPLED,
) -> dict[str, float]:
    """Return the mean absolute Shapley value of every active concept, by name, in logits.

    Args:
        surrogate: after alignment.
        classifier: the teacher.
        training: images that stand for "not known" are drawn from these, uint8 (T, C, H, W).
        images: held out, uint8 (N, C, H, W).
        seed: seed of the run.
        parameters: parameters of the importances.
    """
    generator = numpy_generator(seed, "glassbox", "background")
    rows = generator.permutation(len(training))[: parameters.backgrounds]
    codes = surrogate.encode_array(training[np.sort(rows)])
    names = surrogate.active_concepts
    background = torch.stack([surrogate.read(codes, name) for name in names], 1)
    method = ShapleyImportance(surrogate, classifier, background, parameters, seed=seed)
    sums = dict.fromkeys(method.players, 0.0)
    for explained in method.explain(Subjects.see(surrogate, classifier, images)):
        for importance in explained.of:
            sums[importance.concept] += abs(importance.contribution)
    return {name: total / len(images) for name, total in sums.items()}

"""Concept activation vectors: which way in the teacher's features does a concept lie?

Kim et al. 2018 (arXiv 1711.11279): a linear classifier tells images with a concept from images
without it by their features; its unit normal is the concept's vector, and a gradient along it says
how much the answer depends on the concept. As there, vectors are learned several times from
different images, so that a direction that is there by chance does not count.

Their score, the share of images with a positive derivative, is 0 or 1 for any teacher that is
linear in its features, whatever the weight. So the size is the derivative itself. Captum's TCAV
returns that share's parts only for a layer's outputs, and keeps activations on disk; the teacher's
penultimate features are a layer's inputs.
"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from benchmarks.glassbox.explainers.question import Question, margin_of
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import in_batches
from glance_pipeline.support.seeding import numpy_generator

VECTORS = 20
"""Vectors of a concept, each learned from other images."""

EXAMPLES = 50
"""Images with the concept, and as many without it, that a vector is learned from, at most."""


def sizes_by_tcav(question: Question) -> dict[str, float]:
    """Return the mean absolute derivative of the margin along every context feature's vector.

    Images with the concept are those of the upper third of the feature over the training images,
    those without it of the lower third.

    Args:
        question: what is asked.

    Returns:
        By context feature: over the held-out images, the mean absolute value of the derivative,
        which is averaged over the vectors with its sign; in logits for one unit of the features.
    """
    features = question.classifier.answers(question.training).features.double().numpy()
    slopes = _slopes(question.classifier, question.held_out).double().numpy()
    context = question.drawn.digits.context.iloc[question.drawn.digits.rows_of("train")]
    sizes = {}
    for name in question.features:
        generator = numpy_generator(question.seed, "glassbox", "tcav", name)
        vector = _mean_vector(features, context[name].to_numpy(), generator)
        sizes[name] = float(np.abs(slopes @ vector).mean())
    return sizes


def _mean_vector(
    features: np.ndarray, values: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return the mean (F,) of unit vectors that point from low to high values.

    Args:
        features: the teacher's, (T, F).
        values: of the context feature, (T,).
        generator: draws the images of each vector.
    """
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    without, having = np.flatnonzero(values <= low), np.flatnonzero(values >= high)
    count = min(EXAMPLES, len(without), len(having))
    labels = np.repeat([0, 1], count)
    vectors = []
    for _ in range(VECTORS):
        rows = np.concatenate([generator.permutation(side)[:count] for side in (without, having)])
        weights = LogisticRegression().fit(features[rows], labels).coef_[0]
        vectors.append(weights / max(np.linalg.norm(weights), 1e-12))
    return np.mean(vectors, axis=0)


def _slopes(classifier: Classifier, images: np.ndarray) -> Tensor:
    """Return the gradients (N, F) of the margin over the features of uint8 images."""
    slopes = []
    for batch in in_batches(images):
        with torch.enable_grad():
            logits, features = classifier(batch.requires_grad_(True))
            slopes.append(torch.autograd.grad(margin_of(logits).sum(), features)[0])
    return torch.cat(slopes)

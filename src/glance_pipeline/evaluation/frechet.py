"""Fréchet distance between what the teacher makes of real and of generated images."""

import numpy as np

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.evaluation.fidelity import random_interventions
from glance_pipeline.twin.networks import TwinSurrogate


def frechet_of_recombined_images(
    surrogate: TwinSurrogate, classifier: Classifier, images: np.ndarray, rng: np.random.Generator
) -> float:
    """Return the Fréchet distance of the teacher's features φ on real and on generated images.

    Generated is each image with one random active concept taken from another image, as in
    ``fidelity.intervention_agreement``. The features are the teacher's own, so distances of
    different teachers cannot be compared, nor those of different numbers of images: few images
    make it larger.

    Args:
        surrogate: after training.
        classifier: the teacher, with its features φ.
        images: uint8 (N, C, H, W), held out.
        rng: source of the interventions.
    """
    moved = random_interventions(surrogate, surrogate.encode_array(images), rng)
    drawn = surrogate.pictures(moved)
    real, generated = (classifier.answers(x).features.double().numpy() for x in (images, drawn))
    return frechet_distance(real, generated)


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Fréchet distance between Gaussians fitted to two sets of features.

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) (Dowson and Landau 1982; as FID in Heusel et al. 2017,
    arXiv 1706.08500). With Σ = RᵀR, the trace of the root is the sum of the singular values of
    R₁R₂ᵀ, whose squares are the eigenvalues of Σ₁Σ₂. R has at most as many rows as there are
    images: no matrix is F × F where features are many, and features that never vary do no harm.

    Args:
        first: (N, F), N ≥ 2.
        second: (M, F), M ≥ 2.

    Returns:
        At least 0, in the features' units squared.

    Raises:
        ValueError: if the widths differ or a set has fewer than two rows.
    """
    if first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"found features of shape {first.shape} and {second.shape}; wanted equal widths and "
            "at least two rows each"
        )
    root_first, root_second = _root_of_covariance(first), _root_of_covariance(second)
    overlap = float(np.linalg.norm(root_first @ root_second.T, "nuc"))
    shift = first.mean(axis=0) - second.mean(axis=0)
    traces = np.square(root_first).sum() + np.square(root_second).sum()
    distance = shift @ shift + traces - 2 * overlap
    return max(0.0, float(distance))


def _root_of_covariance(features: np.ndarray) -> np.ndarray:
    """Return R, (min(N, F), F), with RᵀR the covariance of ``features`` (N, F)."""
    centred = features - features.mean(axis=0)
    return np.linalg.qr(centred / np.sqrt(len(features) - 1)).R

"""Integrated gradients of pixels, handed to concepts by where redrawing changes the image.

Sundararajan et al. 2017 (arXiv 1703.01365), by Captum, for the class that the teacher gives an
image, from the background (``benchmarks/explain/rivals.py``). A pixel map names no concept; the
renderer's masks are the most favourable reading of it, which no user has.
"""

import numpy as np

from benchmarks.explain.curves import background_of
from benchmarks.explain.rivals import CaptumMethods, maps_of
from benchmarks.glassbox.explainers.question import Question
from benchmarks.glassbox.truth import Redrawn

IMAGES = 60
"""Held-out images that are looked at, at most."""


def sizes_by_integrated_gradients(question: Question) -> dict[str, float]:
    """Return the absolute attribution that falls on every context feature's mask, averaged.

    Args:
        question: what is asked.

    Returns:
        By context feature, over the first held-out images, in logits for a pixel.
    """
    images = question.held_out[:IMAGES]
    background = background_of(question.training)
    methods = CaptumMethods(question.classifier, background, question.training, question.seed)
    classes = question.classifier.decisions(images)
    maps = maps_of(methods.integrated_gradients, images, classes)
    return {
        name: float((np.abs(maps) * mask_of(redrawn)[: len(images)]).sum((1, 2)).mean())
        for name, redrawn in question.drawn.redrawn.items()
    }


def mask_of(redrawn: Redrawn) -> np.ndarray:
    """Return where each image changes, (n, H, W): the absolute difference, which sums to 1.

    An image that does not change has a mask of zeros.
    """
    difference = np.abs(redrawn.above.astype(float) - redrawn.below).sum(1)
    return difference / np.maximum(difference.sum((1, 2), keepdims=True), 1e-12)

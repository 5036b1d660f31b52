"""Are our curves those of Quantus? The same maps through its ``PixelFlipping``.

Quantus (Hedström et al. 2023) has no insertion; but inserting the first k pixels of a map leaves
the same picture as deleting the last ones, so its curve for the negated map, read backwards, is
the insertion curve. It replaces pixels by one value, so the comparison is for the background.
"""

import warnings
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmarks.explain.curves import Curves, ranks
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import to_float


class _Logits(nn.Module):
    """The teacher as Quantus wants a model: images in [−1, 1] to logits."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier.logits(images)


def gap_to_quantus(
    classifier: Classifier,
    images: np.ndarray,
    background: np.ndarray,
    maps: np.ndarray,
    ours: Curves,
    seed: int,
) -> float:
    """Return the largest difference of probability between our curves and those of Quantus.

    Args:
        classifier: the teacher.
        images: uint8, (N, 1, H, W).
        background: uint8, (1,), that replaced the pixels.
        maps: float, (N, H, W).
        ours: their curves by the background; the number of steps divides the number of pixels.
        seed: seed of the order of equal pixels, see ``ranks``.

    Raises:
        ValueError: if images have several channels, which Quantus deletes one by one, or where
            steps are of unequal size, which it does not know.
    """
    import quantus  # slow to import, and an extra

    pixels, steps = maps[0].size, ours.deletion.shape[1] - 1
    if images.shape[1] != 1 or pixels % steps:
        raise ValueError(
            f"curves of {images.shape[1]} channels in {steps} steps of {pixels} pixels: Quantus "
            "takes one channel and equal steps"
        )
    value: Any = float(to_float(background[None, None, None]).item())  # annotated as text alone
    metric = quantus.PixelFlipping(
        features_in_step=pixels // steps,
        perturb_baseline=value,
        normalise=False,
        disable_warnings=True,
    )
    places = ranks(maps, seed).astype(np.float32)[:, None]
    deleted, inserted = (_flipped(metric, classifier, images, each) for each in (-places, places))
    deletion = np.abs(deleted - ours.deletion[:, 1:]).max()
    insertion = np.abs(inserted[:, ::-1] - ours.insertion[:, :-1]).max()
    return float(max(deletion, insertion))


def _flipped(
    metric: Any, classifier: Classifier, images: np.ndarray, attributions: np.ndarray
) -> np.ndarray:
    """Return the curves of Quantus, (N, steps): it leaves out the whole image."""
    inputs = to_float(images).contiguous().numpy()
    classes = classifier.answers(images).logits.argmax(1).numpy()
    network = _Logits(classifier).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = metric(network, inputs, classes, attributions, softmax=True, device="cpu")
    return np.array(found)

"""Deletion and insertion curves: does the answer hang on the pixels a map ranks first?

Petsiuk et al. 2018 (RISE, arXiv 1806.07421). Pixels are taken in the order of the map, the most
positive first. Deletion starts at the image and replaces them; insertion starts where all pixels
are replaced and puts the image's own back. The curve is the teacher's softmax probability of the
class it gives the image, over the share of pixels taken. A good map makes the area under the
deletion curve small and that under the insertion curve large.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import to_float
from glance_pipeline.support.seeding import numpy_generator

REPLACEMENTS = ("background", "blur")
"""What may take the place of a pixel, see ``replaced``."""

BLUR = 0.125
"""Standard deviation of the blur as a part of the image's height."""


@dataclass(frozen=True)
class Curves:
    """Probabilities of the predicted class along the curves of N images.

    Attributes:
        deletion: (N, steps + 1), from the whole image to all pixels replaced.
        insertion: (N, steps + 1), from all pixels replaced to the whole image.
    """

    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def areas(self) -> dict[str, np.ndarray]:
        """The area under each curve of each image, (N,), by the trapezoid rule; 0–1."""
        return {name: area(getattr(self, name)) for name in ("deletion", "insertion")}


def background_of(images: np.ndarray) -> np.ndarray:
    """Return the most frequent value of each channel, uint8 (C,), of ``images`` (N, C, H, W)."""
    counts = [np.bincount(channel.ravel(), minlength=256) for channel in images.swapaxes(0, 1)]
    return np.array([count.argmax() for count in counts], dtype=np.uint8)


def replaced(images: np.ndarray, by: str, background: np.ndarray) -> np.ndarray:
    """Return the images with all their pixels replaced.

    Args:
        images: uint8, (N, C, H, W).
        by: ``background``, one value everywhere; or ``blur``, the image itself under a Gaussian of
            an eighth of its height, mirrored at the border.
        background: uint8, (C,).

    Returns:
        uint8, (N, C, H, W).

    Raises:
        ValueError: if ``by`` is neither.
    """
    if by == "background":
        return np.broadcast_to(background[:, None, None], images.shape)
    if by == "blur":
        width = BLUR * images.shape[2]
        blurred = gaussian_filter(images.astype(np.float32), (0, 0, width, width), mode="reflect")
        return blurred.round().astype(np.uint8)
    raise ValueError(f"pixels are replaced by one of {REPLACEMENTS}, not by {by!r}")


def ranks(maps: np.ndarray, seed: int) -> np.ndarray:
    """Return the place of each pixel in the order of its map, 0 for the most positive.

    Args:
        maps: float, (N, H, W).
        seed: seed of the order of pixels that are equal, which is random and the same for all
            images and all maps.

    Returns:
        Integers, (N, H, W).
    """
    flat = maps.reshape(len(maps), -1)
    among_equals = numpy_generator(seed, "curves", "ties").permutation(flat.shape[1])
    order = np.stack([np.lexsort((among_equals, -one)) for one in flat])
    return order.argsort(1).reshape(maps.shape)


@torch.no_grad()
def curves(
    classifier: Classifier,
    images: np.ndarray,
    replacements: np.ndarray,
    maps: np.ndarray,
    steps: int,
    seed: int,
) -> Curves:
    """Delete and insert the pixels of each image in the order of its map.

    Args:
        classifier: the teacher.
        images: uint8, (N, C, H, W).
        replacements: what stands in for each pixel, uint8 (N, C, H, W).
        maps: float, (N, H, W).
        steps: in which all pixels are taken, as many in each as can be.
        seed: see ``ranks``.
    """
    pixels = maps[0].size
    taken = torch.tensor([round(pixels * k / steps) for k in range(steps + 1)])
    deletion, insertion = [], []
    places = torch.as_tensor(ranks(maps, seed))
    whole, gone = to_float(images), to_float(replacements)
    for image, place in enumerate(places):
        first = (place < taken[:, None, None])[:, None]  # (steps + 1, 1, H, W)
        own, other = whole[image], gone[image]
        pictures = torch.cat([torch.where(first, other, own), torch.where(first, own, other)])
        logits = classifier.logits(pictures)
        answer = classifier.logits(own[None]).argmax()
        deleted, inserted = logits.double().softmax(1)[:, answer].view(2, -1).numpy()
        deletion.append(deleted)
        insertion.append(inserted)
    return Curves(np.stack(deletion), np.stack(insertion))


def area(curve: np.ndarray) -> np.ndarray:
    """Return the area (N,) under curves (N, steps + 1) over the share of pixels, 0 to 1."""
    return np.trapezoid(curve, dx=1 / (curve.shape[1] - 1), axis=1)

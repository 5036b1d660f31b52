"""Captum's methods on the teacher, and rankings that are cheap, to compare saliency with.

As is usual with Captum, the methods explain the logit of the class that the teacher gives the
image; on validation images that served most of them better than the margin did. Where a method
wants a baseline, it is given the images' background, which also replaces a pixel in one of the two
kinds of curves. GradientShap is run twice: around the background, and with training images as its
distribution of baselines. Channels are summed.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import to_float
from glance_pipeline.support.seeding import numpy_generator, seed_sequence, seeded_torch

INTEGRATION_STEPS = 50
SAMPLES = 50
NOISE = 0.09
"""Standard deviation of GradientShap's noise around an image, images in [−1, 1]."""

WINDOW = 7 / 32
"""Side of Occlusion's window as a part of the image's height, moved pixel by pixel; 3/32 and 5/32
were worse on validation images."""

TRAINING_IMAGES = 200
AT_ONCE = 16
"""Images that a method is given at a time; bounds memory."""

Method = Callable[[Tensor, Tensor], Tensor]
"""Maps images (N, C, H, W) and their classes (N,) to attributions (N, C or 1, H, W)."""


class CaptumMethods:
    """Captum's methods, set up for one teacher.

    Args:
        classifier: the teacher.
        background: uint8, (C,), see ``curves.background_of``.
        training: training images, uint8 (T, C, H, W).
        seed: seed of GradientShap's draws and of the training images it is given.
    """

    def __init__(
        self, classifier: Classifier, background: np.ndarray, training: np.ndarray, seed: int
    ) -> None:
        self.classifier = classifier
        self.seed = seed
        shape = classifier.specification.image_shape
        self.plain = to_float(background[None, :, None, None]).expand(1, *shape)
        rows = numpy_generator(seed, "rivals", "training").permutation(len(training))
        self.known = to_float(np.ascontiguousarray(training[np.sort(rows[:TRAINING_IMAGES])]))

    @property
    def by_name(self) -> dict[str, Method]:
        """The methods by the names that the table has."""
        return {
            "IntegratedGradients": self.integrated_gradients,
            "GradientShap, background": partial(self.gradient_shap, self.plain, NOISE),
            "GradientShap, training images": partial(self.gradient_shap, self.known, 0.0),
            "Occlusion": self.occlusion,
            "LayerGradCam": self.grad_cam,
        }

    def integrated_gradients(self, images: Tensor, classes: Tensor) -> Tensor:
        """Integrate gradients from the background."""
        from captum.attr import IntegratedGradients  # slow to import

        return IntegratedGradients(self.classifier.logits).attribute(
            images, self.plain, classes, n_steps=INTEGRATION_STEPS, internal_batch_size=256
        )

    def gradient_shap(
        self, baselines: Tensor, noise: float, images: Tensor, classes: Tensor
    ) -> Tensor:
        """Average gradients between random baselines and the noisy image."""
        from captum.attr import GradientShap

        with (
            seeded_torch(self.seed, "rivals", "gradient_shap"),
            _numpy_seeded(self.seed, "rivals", "gradient_shap"),
        ):
            return GradientShap(self.classifier.logits).attribute(
                images, baselines, n_samples=SAMPLES, stdevs=noise, target=classes
            )

    def occlusion(self, images: Tensor, classes: Tensor) -> Tensor:
        """Cover the image with a window of background, pixel by pixel."""
        from captum.attr import Occlusion

        channels, height = images.shape[1:3]
        side = max(1, round(WINDOW * height))
        return Occlusion(self.classifier.logits).attribute(
            images,
            (channels, side, side),
            strides=(channels, 1, 1),
            baselines=self.plain,
            target=classes,
            perturbations_per_eval=16,
        )

    def grad_cam(self, images: Tensor, classes: Tensor) -> Tensor:
        """Weigh the last convolution's channels by their gradients, and bring it up to size."""
        from captum.attr import LayerAttribution, LayerGradCam

        layer = last_convolution(self.classifier)
        found = LayerGradCam(self.classifier.network, layer).attribute(
            _as_network_sees(self.classifier, images), classes, relu_attributions=True
        )
        return LayerAttribution.interpolate(found, tuple(images.shape[-2:]), "bilinear")


def maps_of(method: Method, images: np.ndarray, classes: Tensor) -> np.ndarray:
    """Return the maps (N, H, W) of a method of Captum for uint8 images (N, C, H, W)."""
    maps = []
    for start in range(0, len(images), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Input Tensor \d+ did not already require")
            maps.append(method(to_float(images[part]), classes[part]).detach().sum(1))
    return torch.cat(maps).numpy()


def cheap_maps(images: np.ndarray, background: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return maps (N, H, W) that know nothing of the teacher: a floor for any method.

    Args:
        images: uint8, (N, C, H, W).
        background: uint8, (C,).
        seed: seed of the random map, which is the same for all images.
    """
    shape = (len(images), *images.shape[-2:])
    away = np.abs(images.astype(np.float32) - background[:, None, None]).sum(1)
    drawn = numpy_generator(seed, "rivals", "random").random(shape[1:])
    return {
        "distance from the background": away,
        "random order": np.broadcast_to(drawn, shape),
    }


def last_convolution(classifier: Classifier) -> nn.Module:
    """Return the last convolution of the teacher, in the order of its modules.

    Raises:
        ValueError: if it has none.
    """
    found = [module for module in classifier.network.modules() if isinstance(module, nn.Conv2d)]
    if not found:
        raise ValueError("LayerGradCam: the classifier has no convolution")
    return found[-1]


@contextmanager
def _numpy_seeded(seed: int, *names: str) -> Iterator[None]:
    """Seed NumPy's global generator, which GradientShap draws from, and put it back after."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed_sequence(seed, *names).generate_state(4))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _as_network_sees(classifier: Classifier, images: Tensor) -> Tensor:
    """Bring images in [−1, 1] into the network's own range, with gradients for GradCam's hooks."""
    return classifier.entrance(images).detach().requires_grad_(True)

"""Train the demo teacher on labelled images."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.support.seeding import seeded_torch, torch_generator
from glance_pipeline.twin.training.supervised import Examples, train_supervised


def train_demo_teacher(
    images: np.ndarray,
    labels: np.ndarray,
    parameters: ClassifyParameters,
    seed: int,
    class_names: tuple[str, ...] | None = None,
) -> Classifier:
    """Train a small CNN on ``images`` and freeze it.

    Args:
        images: uint8 (N, C, H, W), the training split.
        labels: integers (N,), 0 … K−1, every class present.
        parameters: size and schedule.
        seed: the run's seed.
        class_names: K of them; ``0`` … ``K−1`` by default.

    Returns:
        The teacher.
    """
    channels, height, width = images.shape[1:]
    class_names = class_names or tuple(str(i) for i in range(int(labels.max()) + 1))
    classes = len(class_names)
    with seeded_torch(seed, "classify", "weights"):
        network = DemoClassifier(channels, height, classes, parameters.width, parameters.features)

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        return F.cross_entropy(
            logits, wanted, reduction="none", label_smoothing=parameters.label_smoothing
        )

    class InUnitRange(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Tensor) -> Tensor:
            return self.network(batch.add(1.0).div(2.0))

    train_supervised(
        "classify",
        InUnitRange(),
        loss,
        Examples(images, torch.as_tensor(labels)),
        parameters,
        torch_generator(seed, "classify", "batches"),
        shift=parameters.shift,
    )
    specification = ClassifierSpecification(
        image_shape=(channels, height, width), class_names=class_names
    )
    return Classifier(network, specification)

"""How the teachers learn: digits whose label goes with a planted feature."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.architectures.configuration import Configuration
from benchmarks.architectures.teachers import Teacher
from benchmarks.glassbox.digits import Digits
from benchmarks.glassbox.shortcuts import shortcut_images
from glance_pipeline.images import in_batches
from glance_pipeline.seeding import numpy_generator, seeded_torch, torch_generator
from glance_pipeline.training.supervised import train_supervised


def confounded_digits(
    split: str, digits: Digits, configuration: Configuration, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the digits of a split again, with labels that go with the planted feature.

    All teachers learn from the same ones.

    Args:
        split: ``train`` or ``test``.
        digits: that the surrogate learns from, without the shortcut.
        configuration: of the benchmark.
        seed: of the run.

    Returns:
        Images, uint8 (N, 1, H, W), and labels, int64 (N,), 0 or 1.
    """
    settings = configuration.shortcut
    generator = numpy_generator(seed, "architectures", "shortcut", split)
    return shortcut_images(
        settings.feature,
        digits,
        digits.rows_of(split),
        settings.agreement,
        settings.log_odds,
        generator,
    )


def trained_network(
    teacher: Teacher, digits: Digits, configuration: Configuration, seed: int, folder: Path
) -> nn.Module:
    """Return a teacher's network, trained; its weights are kept in ``folder`` and trained once.

    Args:
        teacher: which.
        digits: of the scenario.
        configuration: of the benchmark.
        seed: of the run.
        folder: for weights of this configuration, seed and code alone.
    """
    with seeded_torch(seed, "architectures", teacher.trained_as, "weights"):
        network = teacher.network()
    path = folder / f"{teacher.trained_as}.safetensors"
    if path.is_file():
        network.load_state_dict(load_file(path))
        return network.eval()
    images, labels = confounded_digits("train", digits, configuration, seed)
    settings = configuration.teacher

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        return F.cross_entropy(
            logits, wanted, reduction="none", label_smoothing=settings.label_smoothing
        )

    with seeded_torch(seed, "architectures", teacher.trained_as, "dropout"):
        train_supervised(
            teacher.trained_as,
            network,
            loss,
            images,
            torch.as_tensor(labels),
            settings.steps,
            settings.batch_size,
            settings.learning_rate,
            torch_generator(seed, "architectures", teacher.trained_as, "batches"),
        )
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")  # two teachers may have the same weights
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, part)
    part.replace(path)
    return network


@torch.no_grad()
def accuracy(network: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images, uint8 (N, 1, H, W), that get their label (N,)."""
    answers = torch.cat([network(batch) for batch in in_batches(images)]).argmax(1)
    return float((answers.numpy() == labels).mean())

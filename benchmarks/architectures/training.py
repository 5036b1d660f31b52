"""How the teachers learn: digits whose label goes with a planted feature."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.architectures.configuration import ShortcutParameters, TeacherParameters
from benchmarks.architectures.teachers import Teacher
from benchmarks.glassbox.digits import Digits
from benchmarks.glassbox.shortcuts import shortcut_images
from glance_pipeline.images.form import in_batches
from glance_pipeline.support.seeding import numpy_generator, seeded_torch, torch_generator
from glance_pipeline.twin.training.supervised import Examples, train_supervised


@dataclass(frozen=True)
class Lesson:
    """Digits whose label goes with the shortcut.

    Attributes:
        images: uint8 (N, 1, H, W).
        labels: int64 (N,), 0 or 1.
    """

    images: np.ndarray
    labels: np.ndarray


def draw_lesson(split: str, digits: Digits, shortcut: ShortcutParameters, seed: int) -> Lesson:
    """Draw the digits of a split again, with labels that go with the planted feature.

    Args:
        split: ``train`` or ``test``.
        digits: that the surrogate learns from, without the shortcut.
        shortcut: what is planted.
        seed: seed of the run.
    """
    generator = numpy_generator(seed, "architectures", "shortcut", split)
    rows = digits.rows_of(split)
    return Lesson(
        *shortcut_images(
            shortcut.feature, digits, rows, shortcut.agreement, shortcut.log_odds, generator
        )
    )


def trained_network(
    teacher: Teacher, lesson: Lesson, settings: TeacherParameters, seed: int, folder: Path
) -> nn.Module:
    """Return a teacher's network, trained; its weights are kept in ``folder`` and trained once.

    Args:
        teacher: which.
        lesson: what it learns; the same for all teachers.
        settings: how it learns.
        seed: seed of the run.
        folder: for weights of this configuration, seed and code alone.
    """
    with seeded_torch(seed, "architectures", teacher.trained_as, "weights"):
        network = teacher.network()
    path = folder / f"{teacher.trained_as}.safetensors"
    if path.is_file():
        network.load_state_dict(load_file(path))
        return network.eval()

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        return F.cross_entropy(
            logits, wanted, reduction="none", label_smoothing=settings.label_smoothing
        )

    with seeded_torch(seed, "architectures", teacher.trained_as, "dropout"):
        train_supervised(
            teacher.trained_as,
            network,
            loss,
            Examples(lesson.images, torch.as_tensor(lesson.labels)),
            settings,
            torch_generator(seed, "architectures", teacher.trained_as, "batches"),
        )
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")  # two teachers may have the same weights
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, part)
    part.replace(path)
    return network


@torch.no_grad()
def accuracy(network: nn.Module, lesson: Lesson) -> float:
    """Return the share of images that get their label."""
    answers = torch.cat([network(batch) for batch in in_batches(lesson.images)]).argmax(1)
    return float((answers.numpy() == lesson.labels).mean())

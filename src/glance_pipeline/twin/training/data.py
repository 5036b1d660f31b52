"""Training data in memory: uint8 images, the teacher's answers on them, the context."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Answer, Classifier
from glance_pipeline.classifiers.task import Task
from glance_pipeline.images.form import to_float
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks.encoder import AnswerScale
from glance_pipeline.twin.objectives.twin_pass import Batch


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """The images of a run with what is known of them.

    Attributes:
        images: uint8 (N, C, H, W).
        records: one row per image, with a column ``split``.
        context: context features, one row per image; None if they are not needed.
        measure: measures the same features on uint8 images (N, C, H, W), where a function does.
    """

    images: np.ndarray
    records: pd.DataFrame
    context: pd.DataFrame | None = None
    measure: Callable[[np.ndarray], pd.DataFrame] | None = None


@dataclass(frozen=True)
class TrainingData:
    """Images of one split with what is known of them.

    Attributes:
        images: uint8 (N, C, H, W).
        logits: the teacher's on them, (N, K).
        features: the teacher's, (N, F).
        context: standardised context features (N, J), or None before alignment.
        weights: float (N,), under which the context features are independent; None weighs all
            images alike.
        told_beside: what measured properties beside them tell of the aligned concepts, (N, J); None
            where nothing is measured.
    """

    images: np.ndarray
    logits: Tensor
    features: Tensor
    context: Tensor | None = None
    weights: Tensor | None = None
    told_beside: Tensor | None = None

    @classmethod
    def of_split(
        cls,
        prepared: PreparedImages,
        classifier: Classifier,
        context: Tensor | None = None,
        split: str = "train",
    ) -> "TrainingData":
        """Take the rows of one split and ask the teacher once for all of them.

        Args:
            prepared: all images, with their records.
            classifier: the teacher.
            context: standardised, of all images (N, J).
            split: ``train``, ``validation`` or ``test``.

        Raises:
            ValueError: if the records do not match the images, the images are not of the
                shape that the classifier takes, or the split is empty.
        """
        images, records = prepared.images, prepared.records
        if len(records) != len(images):
            raise ValueError(
                f"image_records has {len(records)} rows, but there are {len(images)} images"
            )
        wanted = classifier.specification.image_shape
        if images.shape[1:] != wanted:
            raise UserError(
                f"images are of shape {images.shape[1:]}, but the classifier takes {wanted} "
                "(channels, height, width)"
            )
        rows = np.flatnonzero(records["split"].to_numpy() == split)
        if not len(rows):
            raise UserError(f"image_records: no image is in the split {split!r}")
        chosen = np.asarray(images[rows])
        answer = classifier.answers(chosen)
        return cls(
            chosen, answer.logits, answer.features, None if context is None else context[rows]
        )

    @property
    def weight_of_each(self) -> Tensor:
        """The weights (N,), 1 where all images weigh alike."""
        return torch.ones(len(self)) if self.weights is None else self.weights

    def __len__(self) -> int:
        return len(self.images)

    def scale_for(self, task: Task) -> AnswerScale | None:
        """Return the scale of the teacher's answers, where those are numbers; None of logits."""
        return AnswerScale.of(self.logits, self.features) if task.kind == "values" else None

    def batch(self, rows: Tensor, device: torch.device | None = None) -> Batch:
        """Return the float batch of some rows, (B,) integers, on ``device``; None is the CPU."""
        return Batch(
            to_float(self.images[rows.numpy()]).to(device),
            Answer(self.logits[rows].to(device), self.features[rows].to(device)),
            None if self.context is None else self.context[rows].to(device),
            None if self.weights is None else self.weights[rows].to(device),
            None if self.told_beside is None else self.told_beside[rows].to(device),
        )


class EpochSampler:
    """Row numbers batch by batch, each image once an epoch, with a state that can be saved.

    Args:
        count: number of images.
        batch: rows a batch; a batch may span two epochs.
        generator: source of the orders.
    """

    def __init__(self, count: int, batch: int, generator: torch.Generator) -> None:
        self.count = count
        self.batch = batch
        self.generator = generator
        self.waiting = torch.empty(0, dtype=torch.int64)

    def next(self) -> Tensor:
        """Return the next ``batch`` row numbers."""
        while len(self.waiting) < self.batch:
            order = torch.randperm(self.count, generator=self.generator)
            self.waiting = torch.cat([self.waiting, order])
        rows, self.waiting = self.waiting[: self.batch], self.waiting[self.batch :].clone()
        return rows

"""The trained run that explanations are measured on."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explainer import Explainer
from glance_pipeline.explanations import Subjects, background_codes
from glance_pipeline.explanations.importance.background import training_codes, training_rows
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate


@dataclass(frozen=True)
class TrainedRun:
    """What the newest run of a project left, and the images to explain.

    Attributes:
        surrogate: after alignment.
        classifier: the teacher.
        concepts: concepts of all images.
        images: all of them, uint8 (N, C, H, W).
        records: one row for each image, with its ``split``.
        parameters: ``explain`` of the project.
        seed: seed of the benchmark's draws.
        rows: numbers of the images to explain.
    """

    surrogate: TwinSurrogate
    classifier: Classifier
    concepts: ConceptTable
    images: np.ndarray
    records: pd.DataFrame
    parameters: ExplainParameters
    seed: int
    rows: np.ndarray

    @cached_property
    def chosen(self) -> np.ndarray:
        """The images to explain, uint8 (M, C, H, W)."""
        return np.asarray(self.images[self.rows])

    @cached_property
    def subjects(self) -> Subjects:
        """The same, encoded and redrawn."""
        return Subjects.see(self.surrogate, self.classifier, self.chosen)

    @cached_property
    def training(self) -> np.ndarray:
        """The training images, uint8 (T, C, H, W)."""
        return np.asarray(self.images[self.records["split"].to_numpy() == "train"])

    def background(self, number: int) -> Tensor:
        """Draw the codes of ``number`` training images as the pipeline does, (number, D)."""
        rows = training_rows(self.concepts, self.records)
        return background_codes(self.surrogate, self.concepts, rows, number, self.seed)

    @cached_property
    def training_codes(self) -> Tensor:
        """The codes of all training images, (T, D)."""
        rows = training_rows(self.concepts, self.records)
        return training_codes(self.surrogate, self.concepts, rows)

    def with_images(self, split: str, count: int) -> "TrainedRun":
        """Return the same run with other images to explain, drawn from ``split``.

        Raises:
            ValueError: if the split has no image.
        """
        rows = np.flatnonzero(self.records["split"].to_numpy() == split)
        if not len(rows):
            raise ValueError(f"no image belongs to the split {split!r}")
        generator = numpy_generator(self.seed, "benchmark", split)
        return replace(self, rows=generator.permutation(rows)[:count])


def load_run(project: Path, environment: str | None, seed: int, count: int) -> TrainedRun:
    """Load the newest trained run of a project, and draw ``count`` test images.

    Args:
        project: its root.
        environment: environment of Kedro's configuration; None for the project's own.
        seed: seed of the benchmark's draws.
        count: images to explain; all of the test split where it has fewer.

    Raises:
        UserError: if the folder is no project, or holds no run that is trained to the end.
    """
    found = Explainer.load(project, environment)
    run = TrainedRun(
        surrogate=found.surrogate,
        classifier=found.classifier,
        concepts=found.concepts,
        images=found.images,
        records=found.records,
        parameters=found.parameters,
        seed=seed,
        rows=np.empty(0, int),
    )
    return run.with_images("test", count)

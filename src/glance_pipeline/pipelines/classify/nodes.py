"""Nodes of the classify pipeline."""

import numpy as np
import pandas as pd

from glance_pipeline.classifier import Classifier
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.training.demo_teacher import train_demo_teacher


def train_demo_classifier(
    images: np.ndarray, image_records: pd.DataFrame, parameters: ClassifyParameters, seed: int
) -> Classifier:
    """Train the demo teacher on the training split."""
    rows = np.flatnonzero(image_records["split"] == "train")
    labels = image_records["label"].to_numpy()[rows]
    return train_demo_teacher(np.asarray(images[rows]), labels, parameters, seed)


def measure_classifier_accuracy(
    images: np.ndarray, image_records: pd.DataFrame, classifier: Classifier
) -> dict[str, dict[str, float]]:
    """Return the accuracy on each split."""
    answers = classifier.answers(images).logits.argmax(1).numpy()
    right = pd.Series(answers == image_records["label"].to_numpy())
    by_split = right.groupby(image_records["split"].to_numpy()).mean()
    return {"classifier": {f"accuracy_{split}": float(by_split[split]) for split in by_split.index}}

"""Nodes of the classify pipeline."""

import logging

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.context.table import as_levels, levels_of
from glance_pipeline.digits.demo_training import train_demo_teacher
from glance_pipeline.evaluation.answers import accuracy_by_columns

logger = logging.getLogger(__name__)


def train_demo_classifier(
    images: np.ndarray, image_records: pd.DataFrame, parameters: ClassifyParameters, seed: int
) -> Classifier:
    """Train the demo teacher on the labelled images of the training split.

    Raises:
        ValueError: if no image has a label.
    """
    if "label" not in image_records:
        raise ValueError(
            "image_records: found no column 'label' to train a classifier on; say where labels "
            "are in ingest.labels, or bring a classifier of your own"
        )
    chosen = (image_records["split"] == "train") & image_records["label"].notna()
    rows = np.flatnonzero(chosen)
    names, labels = as_codes(image_records["label"][chosen])
    return train_demo_teacher(np.asarray(images[rows]), labels, parameters, seed, names)


def measure_classifier_accuracy(
    images: np.ndarray,
    image_records: pd.DataFrame,
    classifier: Classifier,
    context_features: pd.DataFrame,
) -> dict[str, dict[str, float]]:
    """Return the accuracy on the labelled images of each split; empty without any label.

    A label is right that is the name of the class that the classifier answers. Of a classifier
    that answers with labels or numbers, the context features of their names are what is right.
    """
    if classifier.task.kind != "one_of":
        found = accuracy_by_columns(
            classifier.task,
            classifier.decisions(images),
            context_features,
            image_records["split"].reset_index(drop=True),
        )
        return {"classifier": found} if found else {}
    known = np.zeros(len(image_records), dtype=bool)
    if "label" in image_records:
        known = image_records["label"].notna().to_numpy()
    if not known.any():
        logger.warning("accuracy is not measured: no image has a label")
        return {}
    labels = as_levels(image_records["label"][known])
    strange = sorted(set(labels) - set(classifier.class_names))
    if strange:
        logger.warning(
            "accuracy: the labels %s are no class of the classifier, which has %s; see "
            "ingest.class_names",
            strange[:10],
            list(classifier.class_names[:10]),
        )
    names = np.array(classifier.class_names)
    answers = names[classifier.decisions(images).numpy()]
    right = pd.Series(answers[known] == labels.to_numpy())
    by_split = right.groupby(image_records["split"].to_numpy()[known]).mean()
    return {"classifier": {f"accuracy_{split}": float(by_split[split]) for split in by_split.index}}


def as_codes(labels: pd.Series) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the class names, sorted, and the number of each label's class, int64 (N,)."""
    names = levels_of(labels)
    codes = {name: code for code, name in enumerate(names)}
    return names, np.array([codes[label] for label in as_levels(labels)], dtype=np.int64)

"""Teachers that are trained: small CNNs that learn a planted shortcut."""

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.morphology import skeletonize

from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.digits import Digits, draw
from glance_pipeline.classifiers.classifier import Classifier, margins
from glance_pipeline.digits.demo_training import train_demo_teacher
from glance_pipeline.support.seeding import numpy_generator


def shortcut_teacher(
    feature: str, digits: Digits, configuration: Configuration, seed: int, noise: float = 0.0
) -> Classifier:
    """Train the demo classifier on digits whose label goes with ``feature``.

    The label is meant to be whether the digit is 5 or more, but agrees with the digit in a share
    ``agreement`` of the images only, while the feature tells it by log-odds of ``shortcut`` for a
    standard deviation. The images are the training split, drawn again with the features so
    confounded; the surrogate never sees them.

    Args:
        feature: that is planted.
        digits: digits of the scenario.
        configuration: configuration of the benchmark.
        seed: seed of the run.
        noise: share of the labels that are drawn at random.
    """
    settings = configuration.glassbox
    generator = numpy_generator(seed, "glassbox", "shortcut", feature)
    rows = digits.rows_of("train")
    images, labels = shortcut_images(
        feature, digits, rows, settings.agreement, settings.shortcut, generator
    )
    if noise:
        drawn = generator.integers(0, 2, len(labels))
        labels = np.where(generator.random(len(labels)) < noise, drawn, labels)
    return train_demo_teacher(images, labels, configuration.classify, seed)


def measured_teacher(
    reason: str, digits: Digits, configuration: Configuration, seed: int
) -> Classifier:
    """Train the demo classifier to say whether a measured property is above its median.

    Args:
        reason: ``holes``, the area that strokes enclose, or ``ends``, the number of their ends;
            neither is a context feature.
        digits: digits of the scenario.
        configuration: configuration of the benchmark.
        seed: seed of the run.
    """
    images = digits.images[digits.rows_of("train")]
    values = np.array([MEASURES[reason](image[0]) for image in images])
    labels = (values > np.median(values)).astype(np.int64)
    return train_demo_teacher(images, labels, configuration.classify, seed)


def enclosed_area(image: np.ndarray) -> float:
    """Return the area, px², of the dark regions that bright strokes enclose: uint8 (H, W)."""
    strokes = image >= _middle(image)
    return float((ndimage.binary_fill_holes(strokes) & ~strokes).sum())


def stroke_ends(image: np.ndarray) -> float:
    """Return the number of ends of the strokes' skeleton: uint8 (H, W)."""
    skeleton = skeletonize(image >= _middle(image))
    neighbours = ndimage.convolve(skeleton.astype(int), np.ones((3, 3), int), mode="constant") - 1
    return float((skeleton & (neighbours == 1)).sum())


def _middle(image: np.ndarray) -> float:
    return (float(image.min()) + float(image.max())) / 2


MEASURES = {"holes": enclosed_area, "ends": stroke_ends}


def shortcut_images(
    feature: str,
    digits: Digits,
    rows: np.ndarray,
    agreement: float,
    log_odds: float,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw digits again so that their labels go with ``feature``.

    Args:
        feature: that is planted.
        digits: digits of the scenario.
        rows: numbers of N images.
        agreement: share of the images whose label says whether the digit is 5 or more.
        log_odds: of the label, for one standard deviation of the feature.
        generator: source of the draws.

    Returns:
        Images, uint8 (N, 1, H, W), and labels, int64 (N,), 0 or 1.
    """
    labels = _meant(digits, rows) ^ (generator.random(len(rows)) > agreement)
    intended = confounded(digits.intended.iloc[rows], feature, labels, log_odds, generator)
    images = draw(digits.sources[rows], intended, digits.images.shape[-1])
    return images, labels.astype(np.int64)


def digit_effect(classifier: Classifier, digits: Digits) -> float:
    """Return what one standard deviation of "is 5 or more" does to the margin, in logits.

    It is half the difference of the mean margins of the two kinds of digits in the training split,
    whose features are drawn without regard to the digit.
    """
    rows = digits.rows_of("train")
    margin = margins(classifier.answers(digits.images[rows]).logits)[:, 1].numpy()
    meant = _meant(digits, rows)
    return float(margin[meant].mean() - margin[~meant].mean()) / 2


def _meant(digits: Digits, rows: np.ndarray) -> np.ndarray:
    """Return which digits should be labelled 1, bool."""
    return digits.records["label"].to_numpy()[rows] >= 5


def confounded(
    intended: pd.DataFrame,
    feature: str,
    labels: np.ndarray,
    log_odds: float,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Exchange one feature among the images until it goes with the label.

    Every value draws a place in a queue: itself, standardised, and logistic noise of scale
    1 / ``log_odds``. The values at the end of the queue go to the images of label 1, so that the
    feature keeps its distribution, and log p(label 1 | value) / p(label 0 | value) rises by
    ``log_odds`` for each standard deviation.

    Args:
        intended: features of N images, whose values are exchanged.
        feature: the column.
        labels: bool (N,).
        log_odds: of the label, for one standard deviation.
        generator: source of the draws.
    """
    values = generator.permutation(intended[feature].to_numpy())
    places = (values - values.mean()) / values.std()
    places = places + generator.logistic(size=len(values)) / log_odds
    queue = np.argsort(places, kind="stable")
    zeros = int((~labels).sum())
    exchanged = np.empty(len(values))
    exchanged[~labels] = values[generator.permutation(queue[:zeros])]
    exchanged[labels] = values[generator.permutation(queue[zeros:])]
    return intended.assign(**{feature: exchanged})

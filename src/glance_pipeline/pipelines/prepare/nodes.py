"""Nodes of the prepare pipeline."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.context.table import check_context
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.render import render_digits
from glance_pipeline.digits.sources import read_embedded_digits, read_idx_digits
from glance_pipeline.images import Form
from glance_pipeline.images.splits import split_by_fractions
from glance_pipeline.support.seeding import numpy_generator

logger = logging.getLogger(__name__)


def read_and_shuffle_source_digits(
    parameters: PrepareParameters, seed: int
) -> tuple[np.ndarray, pd.DataFrame]:
    """Read the source digits, take as many as asked for of each class, and shuffle them.

    Returns:
        Digits, uint8, (N, 28, 28); frame of N rows with the int columns ``label`` and
        ``source_index``, the digit's number in its source.

    Raises:
        ValueError: if more digits are asked for than there are, or one has nothing drawn on it.
    """
    if parameters.source == "embedded":
        digits, labels = read_embedded_digits()
    else:
        digits, labels = read_idx_digits(Path(parameters.idx_folder))
    blank = np.flatnonzero(np.ptp(digits.reshape(len(digits), -1), axis=1) == 0)
    if len(blank):
        raise ValueError(f"source digits: nothing is drawn on image {blank[0]} of {len(digits)}")
    number = parameters.number_of_images or len(digits)
    if number > len(digits):
        raise ValueError(
            f"prepare.number_of_images: found {number}, wanted at most {len(digits)}, all that "
            f"the source {parameters.source!r} has"
        )
    generator = numpy_generator(seed, "prepare", "shuffle")
    chosen = generator.permutation(len(digits))
    if number < len(digits):
        # The first of each class in the shuffled order, each class in proportion.
        rank = pd.Series(labels[chosen]).groupby(labels[chosen]).rank(method="first", pct=True)
        chosen = chosen[np.sort(np.argsort(rank.to_numpy(), kind="stable")[:number])]
    return digits[chosen], pd.DataFrame({"label": labels[chosen], "source_index": chosen})


def draw_intended_features(
    source_records: pd.DataFrame, parameters: PrepareParameters, seed: int
) -> pd.DataFrame:
    """Draw thickness, slant and intensity of every image from the structural model."""
    model = STRUCTURAL_MODELS[parameters.scenario]
    return model.draw(len(source_records), numpy_generator(seed, "prepare", "features"))


def render_digits_from_the_structural_model(
    source_digits: np.ndarray,
    intended_features: pd.DataFrame,
    parameters: PrepareParameters,
    workers: int | None,
) -> np.ndarray:
    """Redraw every digit as the structural model intends: uint8, (N, 1, size, size)."""
    return render_digits(
        source_digits, intended_features, size=parameters.image_size, n_jobs=workers
    )[:, None]


def measure_context_features(
    images: np.ndarray,
    intended_features: pd.DataFrame,
    parameters: PrepareParameters,
    workers: int | None,
) -> pd.DataFrame:
    """Measure the rendered images, log how far they are from the intent, keep what was asked for.

    Returns:
        Frame of N rows, one column for each of ``parameters.features``.
    """
    measured = measure_digits(images, n_jobs=workers)
    for name in intended_features:
        error = (measured[name] - intended_features[name]).abs().mean()
        logger.info("rendered %s is off the intended one by %.3g on average", name, error)
    context = measured[list(parameters.features)]
    check_context(context, images)
    return context


def split_images(
    source_records: pd.DataFrame,
    intended_features: pd.DataFrame,
    parameters: PrepareParameters,
    seed: int,
) -> pd.DataFrame:
    """Assign every image to train, validation or test, each class in proportion.

    Returns:
        Frame of N rows: ``label`` (int), ``split`` (train, validation or test),
        ``source_index`` (int), ``intended_thickness`` (px), ``intended_slant`` (rad),
        ``intended_intensity`` (grey level).

    Raises:
        ValueError: if there are too few images for every split to hold every class.
    """
    splits = split_by_fractions(
        source_records["label"].to_numpy(),
        len(source_records),
        parameters.fractions,
        numpy_generator(seed, "prepare", "split"),
    )
    records = source_records.assign(split=splits)[["label", "split", "source_index"]]
    return records.join(intended_features.add_prefix("intended_"))


def describe_the_form_of_a_digit(parameters: PrepareParameters) -> dict[str, Any]:
    """Return how ``explain`` makes an image like these of a file, fields of ``Form``.

    Digits are light on dark: laid on white, one with a transparent ground would vanish.
    """
    return Form(channels=1, size=parameters.image_size, transparency="opaque").model_dump()


def describe_the_known_graph(parameters: PrepareParameters) -> dict[str, Any]:
    """Return the graph of the structural model, and what observations alone can tell of it."""
    return STRUCTURAL_MODELS[parameters.scenario].known_graph()

"""The images of a scenario, and everything that is needed to draw them again."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks.glassbox.cases import Scenario
from benchmarks.glassbox.teachers import CORNER, MARK_ROWS
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.render import render_digits
from glance_pipeline.pipelines.prepare.nodes import (
    draw_intended_features,
    read_and_shuffle_source_digits,
    split_images,
)
from glance_pipeline.support.normal_scores import normal_scores
from glance_pipeline.support.seeding import numpy_generator

DRAWN = ["thickness", "slant", "intensity"]
"""Features that the renderer takes."""

_GOES_WITH = {"mark_follows_thickness": ("thickness", 0.8), "mark_dims": ("intensity", 0.7)}
"""What the mark goes with in a scenario, and the correlation of their normal scores."""


@dataclass(frozen=True)
class Digits:
    """Images of one scenario.

    Attributes:
        sources: the digits that were redrawn, uint8 (N, 28, 28).
        intended: what they were drawn with: thickness (px), slant (rad), intensity (grey level)
            and, where they are marked, mark (grey level of the square in the corner) or place
            (column of the mark in the uppermost rows, px).
        images: uint8 (N, 1, H, W).
        context: the context features measured on them; ``mark`` is taken as drawn, and is no
            context feature in every scenario.
        records: label and split of each.
    """

    sources: np.ndarray
    intended: pd.DataFrame
    images: np.ndarray
    context: pd.DataFrame
    records: pd.DataFrame

    def rows_of(self, split: str) -> np.ndarray:
        """Return the row numbers of one split."""
        return np.flatnonzero(self.records["split"].to_numpy() == split)


def draw(
    sources: np.ndarray, intended: pd.DataFrame, size: int, workers: int | None = 1
) -> np.ndarray:
    """Draw digits, and their marks where ``intended`` says so: uint8 (N, 1, size, size)."""
    drawn = render_digits(sources, intended[DRAWN], size, workers, progress=len(sources) > 1000)[
        :, None
    ]
    return with_mark(drawn, intended)


def with_mark(images: np.ndarray, intended: pd.DataFrame) -> np.ndarray:
    """Return images with the mark that ``intended`` asks for; with none, they stay as they are.

    ``mark`` is the brightness (0–255) of a square in the corner, ``place`` the left edge (px) of a
    bright mark of four columns in the uppermost rows, which may lie between two columns.
    """
    marked = images.copy()
    if "mark" in intended:
        brightness = np.round(intended["mark"].to_numpy()).astype(np.uint8)
        marked[:, :, CORNER, CORNER] = brightness[:, None, None, None]
    if "place" in intended:
        columns = np.arange(images.shape[-1])
        left = intended["place"].to_numpy()[:, None]
        # How much of each column the mark covers.
        covered = np.clip(np.minimum(columns + 1, left + 4) - np.maximum(columns, left), 0, 1)
        marked[:, :, MARK_ROWS] = np.round(255 * covered).astype(np.uint8)[:, None, None]
    return marked


def prepare_digits(
    scenario: Scenario, parameters: PrepareParameters, seed: int, workers: int | None
) -> Digits:
    """Draw and measure the images of a scenario."""
    sources, source_records = read_and_shuffle_source_digits(parameters, seed)
    intended = draw_intended_features(source_records, parameters, seed)
    if scenario != "standard":
        # Another image's intensity keeps its distribution and takes away what it depends on.
        order = numpy_generator(seed, "glassbox", "intensity").permutation(len(intended))
        intended["intensity"] = intended["intensity"].to_numpy()[order]
    images = draw(sources, intended, parameters.image_size, workers)
    context = measure_digits(images, n_jobs=workers)[list(parameters.features)]
    records = split_images(source_records, intended, parameters, seed)
    digits = Digits(sources, intended, images, context, records[["label", "split"]])
    return digits if scenario in ("independent", "standard") else _marked(digits, scenario, seed)


def _marked(digits: Digits, scenario: Scenario, seed: int) -> Digits:
    """Return the digits with the mark of a scenario."""
    generator = numpy_generator(seed, "glassbox", "mark")
    count = len(digits.images)
    if scenario == "marked":
        intended = digits.intended.assign(mark=generator.integers(0, 256, count).astype(float))
        context = digits.context.assign(mark=intended["mark"])
        return replace(
            digits,
            intended=intended,
            images=with_mark(digits.images, intended),
            context=context,
        )
    other, correlation = _GOES_WITH.get(scenario, ("thickness", 0.0))
    score = normal_scores(digits.intended[[other]].to_numpy(np.float64))[:, 0]
    own = generator.standard_normal(count)
    share = norm.cdf(correlation * score + np.sqrt(1 - correlation**2) * own)
    if scenario == "mark_dims":
        intended = digits.intended.assign(mark=255 * share)
    else:
        intended = digits.intended.assign(place=1 + share * (digits.images.shape[-1] - 6))
    return replace(digits, intended=intended, images=with_mark(digits.images, intended))

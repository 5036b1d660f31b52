"""The images of a scenario, and everything that is needed to draw them again."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.glassbox.cases import Scenario
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.render import render_digits
from glance_pipeline.pipelines.prepare.nodes import (
    draw_intended_features,
    read_and_shuffle_source_digits,
    split_images,
)
from glance_pipeline.support.seeding import numpy_generator

DRAWN = ["thickness", "slant", "intensity"]
"""Features that the renderer takes."""

_MARK = slice(2, 6)  # rows and columns of the square; the teachers' corner, no digit reaches it


@dataclass(frozen=True)
class Digits:
    """Images of one scenario.

    Attributes:
        sources: the digits that were redrawn, uint8 (N, 28, 28).
        intended: what they were drawn with: thickness (px), slant (rad), intensity (grey level)
            and, where they are marked, mark (grey level).
        images: uint8 (N, 1, H, W).
        context: the context features measured on them; ``mark`` is taken as drawn.
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
    return with_mark(drawn, intended["mark"]) if "mark" in intended else drawn


def with_mark(images: np.ndarray, brightness: pd.Series) -> np.ndarray:
    """Return images with a square of that brightness (N,), 0–255, in the upper left corner."""
    marked = images.copy()
    marked[:, :, _MARK, _MARK] = np.round(brightness.to_numpy()).astype(np.uint8)[
        :, None, None, None
    ]
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
    return _marked(digits, seed) if scenario == "marked" else digits


def _marked(digits: Digits, seed: int) -> Digits:
    generator = numpy_generator(seed, "glassbox", "mark")
    mark = generator.integers(0, 256, len(digits.images)).astype(float)
    return replace(
        digits,
        intended=digits.intended.assign(mark=mark),
        images=with_mark(digits.images, pd.Series(mark)),
        context=digits.context.assign(mark=mark),
    )

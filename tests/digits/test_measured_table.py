"""A table is what the morphometry measures only if it says what the morphometry says."""

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.measured_table import measure_of
from glance_pipeline.digits.sources import read_embedded_digits

IMAGES = read_embedded_digits()[0][:60, None]
MEASURED = measure_digits(IMAGES, n_jobs=1, progress=False)


def test_the_table_of_the_morphometry_is_recognised() -> None:
    context = MEASURED[["slant", "thickness"]].assign(age=1.0)
    measure = measure_of(IMAGES, context, ["slant", "thickness"], 1)
    assert measure is not None
    pd.testing.assert_frame_equal(measure(IMAGES), MEASURED)


def test_a_value_that_is_missing_says_nothing() -> None:
    context = MEASURED[["thickness"]].assign(
        thickness=MEASURED["thickness"].where(MEASURED.index % 2 == 0)
    )
    assert measure_of(IMAGES, context, ["thickness"], 1) is not None
    assert measure_of(IMAGES, context * np.nan, ["thickness"], 1) is None


@pytest.mark.parametrize(
    ("images", "context", "names"),
    [
        (IMAGES, MEASURED * 1.02, ["thickness"]),
        (IMAGES, MEASURED.assign(age=1.0), ["thickness", "age"]),
        (IMAGES, MEASURED, ["thickness=thin"]),  # a level of a categorical feature is no column
        (IMAGES, MEASURED[["slant"]], ["slant", "thickness"]),
        (IMAGES, MEASURED.assign(thickness="thin"), ["thickness"]),
        (np.repeat(IMAGES, 3, axis=1), MEASURED, ["thickness"]),
        (IMAGES, MEASURED, []),
    ],
)
def test_another_table_is_not(images: np.ndarray, context: pd.DataFrame, names: list[str]) -> None:
    assert measure_of(images, context, names, 1) is None

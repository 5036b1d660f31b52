"""A table is what the morphometry measures only if it says what the morphometry says."""

import numpy as np
import pandas as pd

from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.digits.measured_table import measure_of
from glance_pipeline.digits.sources import read_embedded_digits

IMAGES = read_embedded_digits()[0][:60, None]
MEASURED = measure_digits(IMAGES, n_jobs=1, progress=False)


def test_the_table_of_the_morphometry_is_recognised() -> None:
    context = MEASURED[["slant", "thickness"]]
    measure = measure_of(IMAGES, context, 1)
    assert measure is not None
    pd.testing.assert_frame_equal(measure(IMAGES)[["slant", "thickness"]], context)


def test_another_table_with_the_same_names_is_not() -> None:
    in_pixels = MEASURED[["thickness"]]
    assert measure_of(IMAGES, in_pixels * 1.02, 1) is None
    assert measure_of(IMAGES, MEASURED[["thickness"]].assign(age=1.0), 1) is None
    assert measure_of(np.repeat(IMAGES, 3, axis=1), in_pixels, 1) is None
    assert measure_of(IMAGES, MEASURED[[]], 1) is None

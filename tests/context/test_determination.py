"""Features that others tell: planted ones, and none where there are none."""

import numpy as np
import pandas as pd

from glance_pipeline.context.determination import told_by_others


def frame(count: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    length, thickness, slant = rng.uniform(1, 2, (3, count))
    area = length * thickness * (1 + 0.01 * rng.normal(size=count))
    return pd.DataFrame({"area": area, "length": length, "thickness": thickness, "slant": slant})


def test_a_product_of_two_others_is_told_by_them_and_they_are_left() -> None:
    found = told_by_others(frame(), 0.95, np.random.default_rng(0))
    assert list(found) == ["area"]
    assert set(found["area"].by) == {"length", "thickness"}
    assert found["area"].r2 > 0.98
    assert str(found["area"]).startswith("told by ")


def test_noise_of_its_own_makes_a_feature_one_of_its_own() -> None:
    columns = frame()
    rng = np.random.default_rng(1)
    columns["area"] += 0.4 * columns["area"].std() * rng.normal(size=len(columns))
    assert told_by_others(columns, 0.95, np.random.default_rng(0)) == {}


def test_missing_values_and_columns_with_few_values_take_no_harm() -> None:
    columns = frame().assign(kind=lambda f: (f["area"] > 2).astype(float))
    columns.loc[::7, "slant"] = np.nan
    assert list(told_by_others(columns, 0.95, np.random.default_rng(0))) == ["area"]
    assert told_by_others(columns[["kind"]], 0.95, np.random.default_rng(0)) == {}

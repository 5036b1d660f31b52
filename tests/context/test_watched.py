"""Which measured properties are to stay while a feature is moved, in a world planted by hand."""

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.context import watched
from glance_pipeline.context.watched import FURTHEST, Watched, watch

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(3000, 2))
NOISE = RNG.normal(size=(3000, 5))
PROPERTIES = pd.DataFrame(
    {
        # 0.8 goes with the feature, 0.6 is its own: one step of the feature is 1.3 of these.
        "by accident": 0.8 * FEATURES[:, 0] + 0.6 * NOISE[:, 0],
        # 0.95 and 0.31: three of these.
        "bound": 5 + 10 * (0.95 * FEATURES[:, 1] + 0.31 * NOISE[:, 1]),
        "independent": NOISE[:, 2],
        "told": FEATURES[:, 0] + 0.05 * NOISE[:, 3],
        "constant": np.full(3000, 0.5),
        "age": NOISE[:, 4],
    }
)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "measure_properties", lambda images: PROPERTIES.iloc[images])


def test_what_is_bound_to_a_feature_may_follow_it_and_nothing_else(planted: None) -> None:
    found = watch(np.arange(3000), FEATURES, ("age", "smile"))
    assert found.names == ("by accident", "bound", "independent")
    assert found.follows[1, 1] == pytest.approx(0.95, abs=0.02)
    assert np.count_nonzero(found.follows) == 1
    assert found.mean[1] == pytest.approx(5, abs=0.5) and found.std[1] == pytest.approx(10, abs=0.5)


def test_a_table_in_which_every_image_lacks_a_value_is_no_hindrance(planted: None) -> None:
    some = FEATURES.copy()
    some[::2, 0] = np.nan
    some[1::2, 1] = np.nan
    found = watch(np.arange(3000), some)
    # Half of the feature is not known, and tells half of what it did.
    assert found.names == ("by accident", "bound", "independent", "told", "age")
    assert not found.follows.any()


def test_properties_are_measured_in_standard_deviations_and_clipped(planted: None) -> None:
    found = Watched(("bound",), np.array([5.0]), np.array([0.1]), np.zeros((1, 1)))
    measured = found.measure(np.arange(3000))
    assert measured.max() == FURTHEST and measured.min() == -FURTHEST
    near = np.abs(measured[:, 0]) < FURTHEST
    np.testing.assert_allclose(measured[near, 0], (PROPERTIES["bound"][near] - 5) / 0.1, rtol=1e-12)

import numpy as np
import pytest

from glance_pipeline.graph.structural.mechanisms import SplineMechanism, place_knots


def test_a_bent_function_is_found_and_goes_on_straight():
    rng = np.random.default_rng(0)
    causes = rng.uniform(-2, 2, (3000, 2))
    values = np.sin(causes[:, 0]) + 0.5 * causes[:, 1] + rng.normal(0, 0.1, 3000)
    mechanism = SplineMechanism.fit(causes, values, 5)
    known = rng.uniform(-1.8, 1.8, (200, 2))
    truth = np.sin(known[:, 0]) + 0.5 * known[:, 1]
    assert mechanism.predict(known) == pytest.approx(truth, abs=0.06)
    outside = np.array([[3.0, 0.0], [4.0, 0.0], [5.0, 0.0]])
    first, second, third = mechanism.predict(outside)
    assert third - second == pytest.approx(second - first, abs=1e-9)


def test_knots_lie_at_quantiles_or_evenly_where_those_coincide():
    values = np.linspace(0, 100, 1001)
    two = np.repeat([0.0, 1.0], [900, 101])
    knots = place_knots(np.stack([values, two], 1), 5)
    assert knots[:, 0] == pytest.approx([1, 25.5, 50, 74.5, 99], abs=0.1)
    assert knots[:, 1] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    with pytest.raises(ValueError, match=r"column 0 .* is constant \(3\)"):
        place_knots(np.full((10, 1), 3.0), 5)

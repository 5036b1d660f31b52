"""Level and power of the re-examination's test."""

import numpy as np

from benchmarks.reexamination import CASES, measure


def test_strong_draws_are_told_from_independent_ones() -> None:
    measured = measure(rows=500, draws=6, seed=0)
    assert set(measured) == {"rows", "seconds", *CASES}
    assert measured["rows"] == 500
    assert measured["seconds"] > 0
    assert measured["independent given one"] <= 0.2
    assert measured == measure(rows=500, draws=6, seed=0) | {"seconds": measured["seconds"]}


def test_every_linked_case_is_linked_and_no_other() -> None:
    """Partial correlations of the draws themselves: 0.08, or what a bent link leaves of none."""
    for name, draw in CASES.items():
        x, y, z = draw(np.random.default_rng(0), 50_000)
        given = np.hstack([np.ones_like(x), z])
        left, right = (v - given @ np.linalg.lstsq(given, v, rcond=None)[0] for v in (x, y))
        partial = np.corrcoef(left[:, 0], right[:, 0])[0, 1]
        assert abs(partial - (0.08 if name.startswith("linked") else 0.0)) < 0.02

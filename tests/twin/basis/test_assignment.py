import numpy as np
import pytest

from glance_pipeline.twin.basis.assignment import assign, spearman

CODES = np.array([[1.0, 5.0, 1.0], [2.0, 3.0, 1.0], [3.0, 4.0, 1.0], [4.0, 1.0, 1.0]])


def test_spearman_of_ranks_by_hand() -> None:
    feature = np.array([[1.0], [10.0], [100.0], [1000.0]])
    # Ranks 1234 and 4231: d² = 9 + 0 + 0 + 9, ρ = 1 − 6·18 / (4·15); a constant goes with nothing.
    assert spearman(CODES, feature)[0].tolist() == pytest.approx([1.0, -0.8, 0.0])


def test_spearman_leaves_out_what_is_missing() -> None:
    feature = np.array([[3.0], [np.nan], [2.0], [1.0]])
    # Of rows 1, 3 and 4: ranks 321 against 123 and against 321.
    assert spearman(CODES, feature)[0].tolist() == pytest.approx([-1.0, 1.0, 0.0])


def test_the_sum_decides_and_no_dimension_is_given_twice() -> None:
    # Both features go best with the first code, the second has no other that is any good.
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(500, 3))
    first = codes[:, 0] + 0.8 * codes[:, 1]
    second = -codes[:, 0]
    found = assign(codes, np.column_stack([first, second]), ["first", "second"])
    assert [one.dimension for one in found] == [1, 0]
    assert found[1].correlation == pytest.approx(-1.0)
    assert 0.4 < found[0].correlation < 0.8

"""Which measured properties are held while a feature is moved: worlds known by hand."""

import numpy as np
import pytest
import torch

from glance_pipeline.twin.basis.accompanying import Accompanying, holdable

ROWS = 4000


def noise(columns: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((ROWS, columns))


@pytest.mark.parametrize(
    ("area", "place", "held"),
    [
        (0.95, 0.8, [False, True]),  # what the feature does to the picture; what goes along
        (0.8, 0.95, [True, False]),
        (0.6, 0.6, [True, True]),
        (0.9, 0.9, [False, False]),
    ],
)
def test_what_tells_most_of_a_feature_follows_it(
    area: float, place: float, held: list[bool]
) -> None:
    drawn = noise(3)
    feature = drawn[:, 0]
    properties = np.stack(
        [
            area * feature + (1 - area**2) ** 0.5 * drawn[:, 1],
            place * feature + (1 - place**2) ** 0.5 * drawn[:, 2],
        ],
        1,
    )
    others = np.empty((ROWS, 0))
    assert holdable(feature, others, properties, np.array([True, True])).tolist() == held
    none = holdable(feature, others, properties, np.array([False, False]))
    assert none.tolist() == [False, False]


def test_what_other_features_tell_of_a_feature_is_not_the_properties_part() -> None:
    drawn = noise(3)
    other = drawn[:, :1]
    feature = 0.95 * other[:, 0] + 0.31 * drawn[:, 1]
    properties = 0.8 * drawn[:, 1:2] + 0.6 * drawn[:, 2:]  # tells 0.64 of what is left open
    assert holdable(feature, other, properties, np.array([True])).tolist() == [True]


def test_properties_tell_a_feature_by_their_products_and_cubes_too() -> None:
    drawn = torch.as_tensor(noise(3)).float()
    wanted = torch.stack([drawn[:, 0] * drawn[:, 1], 0.4 * drawn[:, 0] ** 3, drawn[:, 2] * 1.0], 1)
    beside = Accompanying(drawn[:, :2], torch.ones(3, 2, dtype=torch.bool))
    told = beside.tell(wanted, torch.ones(ROWS)).float()
    left = (wanted - told).var(0) / wanted.var(0)
    assert left.numpy() == pytest.approx([0, 0, 1], abs=0.03)
    follows = Accompanying(drawn[:, :2], torch.zeros(3, 2, dtype=torch.bool))
    assert (follows.tell(wanted, torch.ones(ROWS)) == 0).all()

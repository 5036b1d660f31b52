import math

import pytest
import torch

from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.objectives.feature_error import feature_errors, mean_feature_error

NAN = math.nan
SIZE = Concept("size", "aligned")
SMILING = Concept("smiling", "aligned", mean=0.5, std=0.5, measure="binary", levels=("n", "y"))
COLOURS = tuple(
    Concept(
        f"c={level}",
        "aligned",
        mean=0.0,
        std=1.0,
        measure="categorical",
        feature="c",
        levels=(level,),
    )
    for level in ("red", "green", "blue")
)
LATENT = Concept("latent_1", "latent")
SURE = 1 / (1 + math.exp(-4))


def errors(found: list[float], wanted: list[float], *concepts: Concept) -> list[float]:
    return feature_errors(torch.tensor([found]), torch.tensor([wanted]), concepts)[0].tolist()


def test_numbers_are_compared_by_squares() -> None:
    assert errors([1.0, 2.0], [0.0, 4.0], SIZE, SIZE, LATENT) == [1.0, 4.0]


def test_yes_and_no_by_cross_entropy_of_probabilities() -> None:
    # A code of 0 is a share of ½ and a logit of 0: ln 2, whatever is wanted.
    assert errors([0.0], [1.0], SMILING) == pytest.approx([math.log(2)])
    # A code of −1 is a logit of −4 where the label stands for σ(4).
    want = -SURE * math.log(1 - SURE) - (1 - SURE) * math.log(SURE)
    assert errors([-1.0], [1.0], SMILING) == pytest.approx([want], rel=1e-5)


def test_levels_by_cross_entropy_and_by_what_their_shares_add_up_to() -> None:
    # Equal shares of 0.4 say ln 3, and add up to 1.2.
    found = errors([0.4, 0.4, 0.4], [1.0, 0.0, 0.0], *COLOURS)
    assert found == pytest.approx([math.log(3) + 0.2**2])


@pytest.mark.parametrize("concepts", [(SMILING,), COLOURS])
def test_the_error_is_least_at_the_code_of_the_label(concepts: tuple[Concept, ...]) -> None:
    wanted = torch.tensor([[1.0] + [0.0] * (len(concepts) - 1)])
    found = wanted.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(feature_errors(found, wanted, concepts).sum(), found)
    assert torch.allclose(slope, torch.zeros_like(slope), atol=1e-6)
    for step in (-0.2, 0.2):
        moved = wanted + step * torch.eye(len(concepts))[:1]
        assert feature_errors(moved, wanted, concepts) > feature_errors(wanted, wanted, concepts)


def test_images_without_a_value_take_no_part() -> None:
    concepts = (SIZE, SMILING, *COLOURS)
    found = torch.zeros(2, 5, requires_grad=True)
    wanted = torch.tensor([[3.0, NAN, NAN, NAN, NAN], [1.0, 1.0, 1.0, 0.0, 0.0]])
    each = feature_errors(found, wanted, concepts)
    colour = math.log(3) + 1.0  # shares of 0 add up to 0
    assert each[0].tolist() == [9.0, 0.0, 0.0]
    assert each[1].tolist() == pytest.approx([1.0, math.log(2), colour])
    mean = mean_feature_error(found, wanted, concepts)
    assert mean.item() == pytest.approx((5.0 + math.log(2) + colour) / 3)
    mean.backward()
    assert found.grad is not None
    assert found.grad[0, 1:].tolist() == [0.0] * 4
    assert (found.grad[1] != 0).all()


def test_a_feature_without_any_value_in_the_batch_counts_nothing() -> None:
    wanted = torch.tensor([[2.0, NAN]])
    assert mean_feature_error(torch.zeros(1, 2), wanted, (SIZE, SIZE)).item() == 4.0 / 2


def test_numbers_alone_are_computed_as_ever_to_the_last_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    found, wanted = torch.randn(2, 64, 2, generator=generator)
    mean = mean_feature_error(found, wanted, (SIZE, SIZE, LATENT))
    assert torch.equal(mean, (found - wanted).square().mean())

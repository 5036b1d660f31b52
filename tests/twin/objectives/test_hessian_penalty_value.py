import pytest
import torch

from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.objectives.derivatives.hessian_penalty import (
    effect_of_each_concept,
    hessian_penalty,
)


def penalty_of(function, inputs: torch.Tensor, directions: int) -> float:
    generator = torch.Generator().manual_seed(0)
    step = torch.full((inputs.shape[1],), 0.1)
    return hessian_penalty(lambda u: [function(u)], inputs, step, directions, generator, 0.1).item()


def test_a_product_of_two_inputs_has_a_known_penalty() -> None:
    # G = 3·u₁u₂ has H₁₂ = H₂₁ = 3, so vᵀHv = ±6 with equal chance: variance 36 = 2·(3² + 3²).
    value = penalty_of(lambda u: 3 * u[:, :1] * u[:, 1:2], torch.randn(4, 2), 400)
    assert value == pytest.approx(36.0, rel=0.02)


def test_inputs_that_act_apart_have_none() -> None:
    value = penalty_of(lambda u: u[:, :1] ** 2 + 5 * u[:, 1:2] ** 2, torch.randn(4, 2), 20)
    assert value == pytest.approx(0.0, abs=1e-3)


def test_effect_of_each_concept_of_a_linear_generator() -> None:
    codes = Codes(
        torch.randn(500, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(500, 1)
    )
    spread = codes.concepts.std(0)
    effects = effect_of_each_concept(
        lambda c: (c.concepts @ torch.tensor([[2.0], [0.0]]))[:, :, None, None], codes
    )
    assert torch.allclose(effects, torch.tensor([2 * spread[0].item(), 0.0]), atol=1e-4)

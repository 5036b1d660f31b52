"""Penalties on the generator's derivatives: float32 always, and no gradient to the encoder."""

from types import SimpleNamespace

import pytest
import torch

from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import build_objective
from glance_pipeline.twin.objectives.twin_pass import Batch, TwinPass
from glance_pipeline.twin.objectives.variation_predictability import VariationPredictability
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate

PENALTIES = ["hessian_penalty", "orojar"]


def a_pass() -> TwinPass:
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    batch = Batch(images, tiny_classifier()(images))
    generator = torch.Generator().manual_seed(3)
    players = Players(tiny_surrogate(), None, tiny_classifier())
    return TwinPass(players, batch, generator)


@pytest.mark.parametrize("name", PENALTIES)
def test_the_gradient_reaches_generator_and_mapping_and_not_the_encoder(name: str) -> None:
    step = a_pass()
    value = build_objective(name)(step)
    value.backward()
    assert value.item() > 0
    assert all(p.grad is None for p in step.surrogate.encoder.parameters())
    for part in (step.surrogate.generator.mapping, step.surrogate.generator.blocks):
        assert sum(p.grad.abs().sum() for p in part.parameters() if p.grad is not None) > 0


@pytest.mark.parametrize("name", PENALTIES)
def test_the_value_is_the_same_under_autocast(name: str) -> None:
    plain, cast = a_pass(), a_pass()
    assert torch.equal(plain.codes.concepts, cast.codes.concepts)  # both in float32
    want = build_objective(name)(plain)
    with torch.autocast("cpu", torch.bfloat16):
        found = build_objective(name)(cast)
    assert found.dtype == torch.float32
    assert torch.equal(found, want)


def test_the_variance_that_predictability_divides_by_has_no_gradient() -> None:
    concepts = torch.tensor([[0.0], [2.0]], requires_grad=True)
    found = torch.tensor([[1.0], [3.0]], requires_grad=True)
    step = SimpleNamespace(
        codes=Codes(concepts, torch.zeros(2, 1)),
        recombined_codes=Codes(torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1)),
        recombination_encoding=Codes(found, torch.zeros(2, 1)),
    )
    VariationPredictability()(step).backward()
    assert concepts.grad is None
    # d/df of the mean over two rows of (f − u)²/2 is (f − u)/2.
    assert torch.allclose(found.grad, torch.full((2, 1), 0.5))

"""Decorrelation, against correlations that are known by hand."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from glance_pipeline.twin.networks import Codes, Concept
from glance_pipeline.twin.objectives.decorrelation import Decorrelation

CONCEPTS = (
    Concept("size", "aligned"),
    Concept("latent_1", "latent"),
    Concept("latent_2", "latent"),
)


def step_of(code: Tensor, weights: Tensor | None = None, told: Tensor | None = None) -> Any:
    """A batch whose code has one aligned concept, two latent ones and two residual dimensions."""
    return SimpleNamespace(
        surrogate=SimpleNamespace(concepts=CONCEPTS, shape=SimpleNamespace(concepts=3)),
        codes=Codes(code[:, :3], code[:, 3:]),
        aligned=1,
        batch=SimpleNamespace(weights=weights, told_beside=told),
    )


def settled(objective: Decorrelation, mixture: Tensor, weights: bool = False) -> float:
    """Return the value after many batches of normal codes times ``mixture``."""
    generator = torch.Generator().manual_seed(0)
    value = torch.zeros(())
    for _ in range(300):
        code = torch.randn(256, 5, generator=generator) @ mixture.T
        weight = (code[:, 0] * code[:, 1] < 0).float() + 0.01 if weights else None
        value = objective(step_of(code, weight))
    return float(value)


def test_uncorrelated_codes_cost_next_to_nothing() -> None:
    assert settled(Decorrelation(), torch.eye(5)) < 0.02


def test_one_correlation_by_hand() -> None:
    mixture = torch.eye(5)
    mixture[1, 0] = 1.0  # the first latent has a correlation of √½ with the aligned concept
    # Of 9 pairs that ought to be uncorrelated one has a square of ½; 33 batches share a gradient.
    assert settled(Decorrelation(), mixture) == pytest.approx(0.5 / 9 / 0.03, rel=0.1)


def test_residual_dimensions_may_go_together() -> None:
    mixture = torch.eye(5)
    mixture[4, 3] = 1.0
    assert settled(Decorrelation(), mixture) < 0.02


def test_weights_say_over_which_images() -> None:
    assert settled(Decorrelation(), torch.eye(5), weights=True) > 0.5


def test_the_gradient_pulls_the_rest_apart_and_leaves_the_aligned_concept() -> None:
    objective = Decorrelation()
    mixture = torch.eye(5)
    mixture[3, 0] = 1.0
    settled(objective, mixture)
    code = torch.randn(4096, 5, generator=torch.Generator().manual_seed(1)) @ mixture.T
    code.requires_grad_(True)
    objective(step_of(code)).backward()
    gradient = code.grad
    assert gradient is not None
    assert gradient[:, 0].abs().max() == 0
    # To go downhill is to take away from the residual what goes along with the aligned concept.
    assert float((gradient[:, 3] * code.detach()[:, 0]).sum()) > 0


def test_it_goes_on_where_it_was() -> None:
    one, other = Decorrelation(), Decorrelation()
    settled(one, torch.eye(5))
    other.load_state_dict(one.state_dict())
    code = torch.randn(16, 5, generator=torch.Generator().manual_seed(2))
    assert float(one(step_of(code))) == float(other(step_of(code)))


def test_what_goes_with_a_concept_through_a_measured_property_costs_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    objective, plain = Decorrelation(), Decorrelation()
    for _ in range(300):
        code = torch.randn(256, 5, generator=generator)
        place = code[:, 1].clone()  # which the first latent says
        code[:, 0] = 0.8 * place + 0.6 * code[:, 0]
        value = objective(step_of(code, told=0.8 * place[:, None]))
        other = plain(step_of(code))
    assert float(value) < 0.02
    assert float(other) == pytest.approx(0.64 / 9 / 0.03, rel=0.1)

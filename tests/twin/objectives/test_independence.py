"""Independence, against shares of variance that are known by hand."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from glance_pipeline.twin.objectives.independence import Independence
from helpers.coded_steps import coded_step


def codes_of(generator: torch.Generator, share: float) -> Tensor:
    """Return codes (64, 6) whose rest tells ``share`` of the first concept, and not linearly.

    A latent concept is a sign, and a residual dimension the first concept times that sign.
    """
    code = torch.randn(64, 6, generator=generator)
    sign = (torch.rand(64, generator=generator) < 0.5).float() * 2 - 1
    code[:, 1] = sign
    code[:, 3] = sign * (share**0.5 * code[:, 0] + (1 - share) ** 0.5 * code[:, 3])
    return code


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_it_tells_the_share_that_a_function_of_the_rest_tells(share: float) -> None:
    generator, objective = torch.Generator().manual_seed(0), Independence()
    values = [float(objective(coded_step(codes_of(generator, share)))) for _ in range(400)]
    assert sum(values[-50:]) / 50 == pytest.approx(share, abs=0.1)


def test_what_properties_tell_of_a_concept_may_be_told_by_the_rest() -> None:
    generator, objective = torch.Generator().manual_seed(0), Independence()
    values = []
    for _ in range(400):
        code = torch.randn(64, 6, generator=generator)
        place = code[:, 1].clone()
        code[:, 0] = 0.8 * place + 0.6 * code[:, 0]
        values.append(float(objective(coded_step(code, told=0.8 * place[:, None]))))
    assert sum(values[-50:]) / 50 < 0.1


def test_weights_say_over_which_images() -> None:
    generator, objective = torch.Generator().manual_seed(0), Independence()
    values = []
    for _ in range(400):
        code = codes_of(generator, 1.0)
        weights = (code[:, 2] > 0).float() + 1e-3
        code[code[:, 2] > 0, 3] = torch.randn(int((code[:, 2] > 0).sum()), generator=generator)
        values.append(float(objective(coded_step(code, weights))))
    assert sum(values[-50:]) / 50 < 0.15


def test_the_gradient_takes_from_the_rest_and_leaves_the_aligned_concept() -> None:
    generator, objective = torch.Generator().manual_seed(0), Independence()
    for _ in range(200):
        objective(coded_step(codes_of(generator, 1.0)))
    code = codes_of(generator, 1.0).requires_grad_(True)
    objective(coded_step(code)).backward()
    assert code.grad is not None
    assert (code.grad[:, 0] == 0).all() and (code.grad[:, 3] != 0).any()


def test_it_goes_on_where_it_was() -> None:
    generator, one = torch.Generator().manual_seed(0), Independence()
    for _ in range(5):
        one(coded_step(codes_of(generator, 0.5)))
    other = Independence()
    other.load_state_dict(deepcopy(one.state_dict()))  # as a checkpoint holds it
    code = codes_of(generator, 0.5)
    assert one(coded_step(code)).item() == other(coded_step(code)).item()
    fresh = Independence()
    fresh.load_state_dict(Independence().state_dict())
    assert fresh.network is None

import pytest
import torch
from torch import nn

from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.discriminator import Discriminator, r1_penalty
from glance_pipeline.twin.networks.layers import channels_last


class LinearCritic(nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight


def test_r1_of_a_linear_critic_is_its_squared_weight() -> None:
    critic = LinearCritic(torch.tensor([3.0, 4.0, 0.0, 0.0]))
    penalty = r1_penalty(critic, torch.randn(5, 1, 2, 2))
    assert penalty.item() == pytest.approx(25.0)
    penalty.backward()
    assert torch.allclose(critic.weight.grad, torch.tensor([6.0, 8.0, 0.0, 0.0]))


def test_r1_leaves_no_gradient_on_the_images() -> None:
    images = torch.randn(2, 1, 8, 8)
    r1_penalty(Discriminator(8, 1, (8, 8)), images).backward()
    assert images.grad is None and not images.requires_grad


def test_discriminator_gives_one_logit_an_image_at_any_resolution() -> None:
    for size, widths in ((8, (8, 4)), (64, (8, 8, 8, 4, 4))):
        critic = Discriminator(size, 3, widths)
        assert critic(torch.randn(4, 3, size, size)).shape == (4,)


def test_critics_come_back_from_their_weights() -> None:
    # the memory format that ``from_weights`` leaves decides the last bits on some processors
    critics = channels_last(Critics((1, 8, 8), (8, 4), 5))
    again = Critics.from_weights(*critics.to_weights())
    x = torch.randn(4, 1, 8, 8)
    assert torch.equal(again.images(x), critics.images(x))
    assert torch.equal(again.features(x[:, 0, 0, :5]), critics.features(x[:, 0, 0, :5]))

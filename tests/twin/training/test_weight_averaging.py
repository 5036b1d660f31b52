import pytest
import torch
from torch import nn

from glance_pipeline.twin.training.averaging import decay_of, refresh_statistics, update_average


def test_the_average_moves_by_one_minus_decay() -> None:
    average, current = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        for network, value in ((average, 0.0), (current, 1.0)):
            for parameter in network.parameters():
                parameter.fill_(value)
    update_average(average, current, 0.9)
    update_average(average, current, 0.9)
    assert all(p.item() == pytest.approx(0.19) for p in average.parameters())


def test_a_weight_counts_half_after_its_half_life() -> None:
    # 1,000 images of half-life in batches of 10: 100 steps, long after the start.
    assert decay_of(1000, 10, 10**6) ** 100 == pytest.approx(0.5)


def test_the_first_steps_forget_sooner() -> None:
    assert decay_of(1000, 10, 1) < decay_of(1000, 10, 100) < decay_of(1000, 10, 10**6)


def test_statistics_are_those_of_the_images_given() -> None:
    norm = nn.BatchNorm1d(1)
    norm.running_mean.fill_(99.0)
    batches = [torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [6.0]])]
    refresh_statistics(norm, batches)
    assert norm.running_mean.item() == pytest.approx(3.0)
    assert norm.running_var.item() == pytest.approx(2.0)  # of each batch, averaged
    assert not norm.training

"""What a teacher is like by itself, against values worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from benchmarks.architectures.configuration import load_configuration
from benchmarks.architectures.teacher_alone import NOISE, judge_alone, noise_flips, steepness
from benchmarks.architectures.training import Lesson


class Brightness(nn.Module):
    """Two logits ∓ s · mean of the image, moved so that ``grey`` is their boundary."""

    def __init__(self, slope: float, grey: float = 0.0) -> None:
        super().__init__()
        self.slope, self.grey = slope, grey

    def forward(self, images: Tensor) -> Tensor:
        mean = self.slope * (images.mean((1, 2, 3)) - self.grey)
        return torch.stack([-mean, mean], 1)


def plain(*levels: int) -> np.ndarray:
    """Images 4 × 4 of one grey level each."""
    return np.full((len(levels), 1, 4, 4), np.array(levels, np.uint8)[:, None, None, None])


def test_steepness_is_the_gradient_over_the_spread_of_the_margin():
    # Margin 2 s · mean: ∓2 s on black and white, of deviation √8 s. Its gradient is 2 s / 16
    # in each of 16 pixels, of length s / 2. Whatever s: 0.5 / √8.
    for slope in (1.0, 40.0):
        found = steepness(Brightness(slope), plain(0, 255))
        assert found == pytest.approx(0.5 / 8**0.5, rel=1e-5)


def test_noise_flips_images_at_the_boundary_and_no_others():
    # The mean of the noise of 16 pixels deviates by NOISE / 4. Level 128 lies 1 / 255 above 0.
    generator = torch.Generator().manual_seed(0)
    at_boundary = plain(*[128] * 400)
    below = 0.5 * (1 + torch.erf(torch.tensor(-1 / 255 / (NOISE / 4) / 2**0.5)))
    found = noise_flips(Brightness(1.0), at_boundary, generator)
    assert found == pytest.approx(float(below), abs=0.08)
    assert noise_flips(Brightness(1.0), plain(60, 200), generator) == 0


def test_a_teacher_is_compared_with_its_lessons_and_with_the_planted_feature():
    digits = SimpleNamespace(
        images=plain(200, 0, 255, 255),
        context=pd.DataFrame({"slant": [9.0, 0.0, 4.0, 1.0]}),  # mean 3.5
        rows_of=lambda split: np.array([1, 2, 3]),
    )
    material = SimpleNamespace(
        drawn=SimpleNamespace(digits=digits),
        train=Lesson(plain(0, 255), np.array([0, 1])),
        test=Lesson(plain(0, 255, 255, 0), np.array([0, 1, 0, 1])),
    )
    found = judge_alone(Brightness(1.0), material, load_configuration(), 0)
    assert found["train_accuracy"] == 1.0
    assert found["accuracy"] == 0.5
    assert found["told_by_shortcut"] == pytest.approx(2 / 3)  # no, yes, and wrongly yes
    assert found["noise_flips"] == 0

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from glance_pipeline.config.augmentation import AugmentationParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.objectives import build_objectives
from glance_pipeline.twin.objectives.adaptive_augmentation import (
    AdaptiveAugmentation,
    change_saturation,
    move,
)
from glance_pipeline.twin.objectives.adversarial import Adversarial

NONE = {"translation": 0, "scale": 0, "rotation": 0, "brightness": 0, "contrast": 0}


def augmentation(probability: float = 0.0, **options: Any) -> AdaptiveAugmentation:
    made = AdaptiveAugmentation(AugmentationParameters(**options))
    made.probability = probability
    return made


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moved(images: torch.Tensor, **amounts: float) -> torch.Tensor:
    values = {"across": 0.0, "down": 0.0, "zoom": 1.0, "angle": 0.0} | amounts
    return move(images, **{k: torch.full((len(images),), v) for k, v in values.items()})


def test_probability_rises_where_the_critic_is_too_sure_and_falls_where_it_is_not() -> None:
    made = augmentation(target=0.6, images_to_full=100, update_every=2)
    sure, unsure = torch.ones(10), torch.tensor([1.0, -1.0] * 5)
    made.observe(sure)
    assert made.probability == 0.0  # not due yet
    made.observe(sure)
    assert made.probability == pytest.approx(20 / 100)
    made.observe(sure)  # the mean sign of these two is ½, below 0.6
    made.observe(unsure)
    assert made.probability == pytest.approx(0.0)
    made.observe(unsure)
    made.observe(unsure)
    assert made.probability == 0.0
    for _ in range(20):
        made.observe(sure)
    assert made.probability == 0.8


def test_its_state_is_all_that_it_goes_on_from() -> None:
    first = augmentation(images_to_full=100, update_every=2)
    for count in (10, 20, 30):
        first.observe(torch.ones(count))
    second = augmentation(images_to_full=100, update_every=2)
    second.load_state_dict(first.state_dict())
    for made in (first, second):
        made.observe(-torch.ones(10))  # the mean sign of 30 and 10 images is ½
    assert first.probability == second.probability == pytest.approx(0.3 - 0.4 + 0.1)


def test_nothing_is_drawn_or_changed_at_probability_zero() -> None:
    generator, images = seeded(), torch.rand(4, 1, 8, 8)
    before = generator.get_state()
    assert augmentation()(images, generator) is images
    assert torch.equal(generator.get_state(), before)


def test_each_change_strikes_the_share_of_images_that_the_probability_says() -> None:
    images = torch.zeros(4000, 1, 2, 2)
    made = augmentation(0.3, **NONE | {"brightness": 0.2})
    out = made(images, seeded())
    assert (out != 0).flatten(1).any(1).float().mean().item() == pytest.approx(0.3, abs=0.02)
    # Of those, the brightness has the deviation that was asked for, the same in all pixels.
    struck = out[(out != 0).flatten(1).all(1)]
    assert struck[:, 0, 0, 0].std().item() == pytest.approx(0.2, rel=0.06)
    assert torch.equal(struck, struck[:, :, :1, :1].expand_as(struck))


def test_images_that_are_not_struck_stay_as_they_are() -> None:
    images = torch.rand(200, 1, 8, 8, generator=seeded(1))
    made = augmentation(0.3, **NONE | {"rotation": 15.0})
    same = (made(images, seeded()) == images).flatten(1).all(1)
    assert same.float().mean().item() == pytest.approx(0.7, abs=0.1)


def test_a_shift_by_whole_pixels() -> None:
    images = torch.rand(2, 1, 8, 8)
    out = moved(images, across=2 / 8, down=1 / 8)
    assert torch.allclose(out[..., 1:, 2:], images[..., :-1, :-2], atol=1e-5)


def test_a_quarter_turn_is_clockwise() -> None:
    images = torch.rand(2, 1, 8, 8)
    out = moved(images, angle=math.pi / 2)
    assert torch.allclose(out, images.rot90(-1, (2, 3)), atol=1e-5)


def test_zoom_above_one_enlarges() -> None:
    ramp = torch.linspace(-1, 1, 9).expand(1, 1, 9, 9)
    # At twice the size the middle half of the ramp fills the image.
    assert torch.allclose(moved(ramp, zoom=2.0), ramp / 2, atol=1e-5)


def test_saturation_of_zero_is_grey_and_of_one_nothing() -> None:
    images = torch.rand(2, 3, 4, 4)
    out = change_saturation(images, torch.tensor([0.0, 1.0]))
    assert torch.allclose(out[0], images[0].mean(0).expand(3, 4, 4), atol=1e-6)
    assert torch.allclose(out[1], images[1], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_changes_are_differentiable_float32_and_channels_last(channels: int) -> None:
    images = torch.rand(16, channels, 8, 8, generator=seeded(1)).requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16):
        out = augmentation(0.8)(images, seeded())
    assert out.shape == images.shape and out.dtype == torch.float32
    assert channels == 1 or out.is_contiguous(memory_format=torch.channels_last)
    out.sum().backward()
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()


def test_the_game_shows_real_and_generated_images_alike_through_it() -> None:
    real, drawn = torch.zeros(4, 1, 8, 8), torch.ones(4, 1, 8, 8)
    critics = Critics((1, 8, 8), (8, 8), 3)
    step = SimpleNamespace(
        batch=SimpleNamespace(images=real),
        reconstruction=drawn,
        recombination=drawn,
        critics=critics,
        generator=seeded(),
    )
    made = augmentation(0.5, update_every=1)
    seen: list[float] = []

    class Recorded(AdaptiveAugmentation):
        def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            seen.append(images.mean().item())
            assert generator is step.generator
            return made(images, generator)

    game = Adversarial(augmentation=Recorded(AugmentationParameters(target=-1, update_every=1)))
    game(step)
    assert seen == [1.0]
    game.critic_loss(step)
    assert seen == [1.0, 1.0, 0.0]
    game.penalty(step).backward()
    assert seen == [1.0, 1.0, 0.0, 0.0]
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in critics.parameters())


def test_a_stage_builds_it_where_it_is_asked_for() -> None:
    stage: dict[str, Any] = {"steps": 1, "objectives": {"adversarial": {"weight": 1}}}
    assert build_objectives(StageParameters(**stage))["adversarial"].augmentation is None
    asked = build_objectives(StageParameters(**stage, augmentation={"target": 0.5}))
    assert asked["adversarial"].augmentation.parameters.target == 0.5
    without = {"steps": 1, "objectives": {"distillation": {"weight": 1}}, "augmentation": {}}
    with pytest.raises(ValidationError, match=r"augmentation.*distillation.*'adversarial'"):
        StageParameters(**without)

"""The textbook layout computes what the project's layers do, and both can be trained."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.textbook_layout import ContiguousData, convolve_each, lay_out_as_in_textbooks
from benchmarks.throughput import Trainer, count_multiply_adds, figures, phases_of
from benchmarks.untrained import Stage, padded
from glance_pipeline.config.training import StageParameters
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.layers import ModulatedConvolution, ToImage
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate
from glance_pipeline.twin.training.data import TrainingData


def test_each_image_is_convolved_with_its_own_weights() -> None:
    x, weight = torch.randn(3, 2, 5, 5), torch.randn(3, 4, 2, 3, 3)
    want = [torch.conv2d(x[i : i + 1], weight[i], padding=1) for i in range(3)]
    assert torch.allclose(convolve_each(x, weight), torch.cat(want), atol=1e-5)


def test_modulation_gives_the_same_values() -> None:
    torch.manual_seed(0)
    x, w = torch.randn(3, 4, 6, 6), torch.randn(3, 5)
    for layer in (ModulatedConvolution(4, 7, 5), ToImage(4, 1, 5)):
        textbook = lay_out_as_in_textbooks(deepcopy(layer))
        assert type(textbook) is not type(layer)
        assert torch.allclose(textbook(x, w), layer(x, w), atol=1e-5)


def test_upsampling_has_the_same_shape_and_keeps_a_constant() -> None:
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 4, 5, up=True)
    textbook = lay_out_as_in_textbooks(deepcopy(layer))
    w = torch.randn(2, 5)
    x = torch.randn(2, 3, 1, 1).expand(2, 3, 8, 8)
    ours, theirs = layer.convolve(x, w), textbook.convolve(x, w)
    assert ours.shape == theirs.shape == (2, 4, 16, 16)
    # Away from the edges a constant is interpolated to itself, whatever the filter.
    assert torch.allclose(theirs[..., 4:-4, 4:-4], ours[..., 4:-4, 4:-4], atol=1e-4)


def test_whole_networks_have_the_same_shapes_and_parameters() -> None:
    surrogate = tiny_surrogate(16)
    textbook = lay_out_as_in_textbooks(deepcopy(surrogate))
    images = torch.rand(2, 1, 16, 16)
    codes = textbook.encode(images)
    assert torch.allclose(codes.concepts, surrogate.encode(images).concepts, atol=1e-4)
    assert textbook.generate(codes).shape == surrogate.generate(codes).shape
    assert list(textbook.state_dict()) == list(surrogate.state_dict())


OBJECTIVES = {
    "reconstruction": {"weight": 1},
    "sufficiency": {"weight": 1, "start": 0.25, "ramp": 0.1},
    "adversarial": {"weight": 1, "start": 0.5},
    "hessian_penalty": {"weight": 0.1, "start": 0.5},
}


def tiny_stage() -> Stage:
    images = np.random.default_rng(0).integers(0, 256, (16, 1, 8, 8), dtype=np.uint8)
    classifier = tiny_classifier()
    answers = classifier.answers(images)
    parameters = StageParameters.model_validate(
        {"steps": 400, "batch_size": 8, "critic_every": 2, "objectives": OBJECTIVES}
    )
    return Stage(
        "tiny",
        parameters,
        tiny_surrogate(),
        Critics((1, 8, 8), (8, 8), 3),
        classifier,
        TrainingData(images, answers.logits, answers.features),
        None,
    )


def weights_of(trainer: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.state.surrogate.parameters()]


@pytest.mark.parametrize("variant", ["project", "textbook"])
def test_each_kind_of_step_trains(variant: str) -> None:
    stage = tiny_stage()
    trainer = Trainer(stage, variant, 0)
    wanted = torch.contiguous_format if variant == "textbook" else torch.channels_last
    weight = trainer.state.surrogate.generator.blocks[0].second.weight
    assert weight.is_contiguous(memory_format=wanted)
    assert isinstance(trainer.stage.data, ContiguousData) == (variant == "textbook")
    for kind in list(phases_of("tiny", stage.parameters))[-1].kinds:
        before = weights_of(trainer)
        assert trainer.step(kind.step) > 0
        after = weights_of(trainer)
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_phases_and_their_kinds_of_step() -> None:
    phases = list(phases_of("tiny", tiny_stage().parameters))
    assert [(p.low, p.high) for p in phases] == [(0.0, 0.25), (0.25, 0.5), (0.5, 1.0)]
    assert [len(p.objectives) for p in phases] == [1, 2, 4]
    assert [k.share for k in phases[0].kinds] == [1.0]
    # The critics learn on every second step, R1 is taken on every 16th of those.
    assert {k.step % 2: k.share for k in phases[2].kinds if k.step % 32} == {0: 15 / 32, 1: 0.5}
    assert [k.share for k in phases[2].kinds if k.step % 32 == 0] == [1 / 32]


def test_contiguous_data_has_contiguous_batches() -> None:
    stage = tiny_stage()
    colour = replace(stage.data, images=stage.data.images.repeat(3, 1))
    batch = ContiguousData(**vars(colour)).batch(torch.arange(4))
    assert batch.images.is_contiguous()
    assert not colour.batch(torch.arange(4)).images.is_contiguous()


def test_figures_of_known_times() -> None:
    phases = list(phases_of("tiny", tiny_stage().parameters))[:2]
    for phase, seconds in zip(phases, (1.0, 3.0), strict=True):
        phase.kinds[0].seconds = {"project": [seconds], "textbook": [2 * seconds, 0.0, 99.0]}
        phase.kinds[0].multiply_adds = 10.0
    found = figures(phases, 8, peak=50.0)
    # Both phases are as long: 2 s a step, 10 multiply-adds in 2 s are a tenth of 50 a second.
    assert found == pytest.approx(
        {"images_per_second": 4.0, "ratio_to_textbook": 2.0, "share_of_peak": 0.1}
    )


def test_multiply_adds_of_a_step_are_counted_forward_and_backward() -> None:
    class Product:
        """A step that multiplies (2, 3) by (3, 5), and takes the gradient of both."""

        def step(self, number: int) -> float:
            a, b = (torch.ones(n, m, requires_grad=True) for n, m in ((2, 3), (3, 5)))
            torch.autograd.grad((a @ b).sum(), (a, b))
            return 0.0

    product: Any = Product()
    assert count_multiply_adds(product, 0) == 3 * (2 * 3 * 5)


def test_digits_are_padded_in_the_middle() -> None:
    out = padded(np.ones((2, 28, 28), np.uint8), 32)
    assert out.shape == (2, 1, 32, 32)
    assert out[:, 0, 2:-2, 2:-2].all() and out.sum() == 2 * 28 * 28


def test_a_stage_is_left_as_it_was() -> None:
    stage = tiny_stage()
    before = [p.detach().clone() for p in stage.surrogate.parameters()]
    Trainer(replace(stage, name="other"), "textbook", 0).step(0)
    assert all(torch.equal(a, b) for a, b in zip(before, stage.surrogate.parameters(), strict=True))

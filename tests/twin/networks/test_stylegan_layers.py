import pytest
import torch
import torch.nn.functional as F

from glance_pipeline.twin.networks.layers import (
    Convolution,
    Linear,
    ModulatedConvolution,
    blur,
    leaky_relu,
    minibatch_standard_deviation,
    upsample,
)


def test_demodulation_equals_modulated_weights_image_by_image() -> None:
    torch.manual_seed(0)
    layer = ModulatedConvolution(5, 7, style=4)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 4)
    got = layer.convolve(x, w)
    for image in range(3):
        # Karras et al. 2020, equations 1 and 3, with a convolution for each image.
        scale = layer.affine(w[image : image + 1])[0]
        weight = layer.weight * layer.gain * scale[None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        want = F.conv2d(x[image : image + 1], weight, padding=1)
        assert torch.allclose(got[image : image + 1], want, atol=1e-5)


def test_demodulation_gives_unit_variance_whatever_the_style() -> None:
    torch.manual_seed(0)
    layer = ModulatedConvolution(32, 16, style=8)
    x = torch.randn(16, 32, 16, 16)
    for strength in (0.1, 1.0, 30.0):
        inner = layer.convolve(x, strength * torch.randn(16, 8))[..., 1:-1, 1:-1]
        assert inner.var().item() == pytest.approx(1.0, rel=0.05)


def test_upsampling_convolution_equals_zeros_between_samples_then_blur() -> None:
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 2, style=4, up=True)
    x, w = torch.randn(2, 3, 5, 5), torch.randn(2, 4)
    scale = layer.affine(w)
    spread = torch.zeros(2, 3, 10, 10)
    spread[..., ::2, ::2] = x * scale[:, :, None, None]
    # A transposed convolution is a convolution with the flipped kernel on the spread samples.
    weight = layer.weight * layer.gain
    wide = F.conv2d(F.pad(spread, (2, 1, 2, 1)), weight.flip(2, 3))
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = (taps[:, None] * taps).expand(2, 1, 4, 4)
    want = 4 * F.conv2d(F.pad(wide, (1, 1, 1, 1)), kernel, groups=2)
    demodulation = torch.rsqrt(scale.square() @ weight.square().sum((2, 3)).T + 1e-8)
    want = want * demodulation[:, :, None, None]
    assert torch.allclose(layer.convolve(x, w), want, atol=1e-5)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_blur_keeps_a_constant_inside_and_has_the_size_asked_for(extra: int) -> None:
    out = blur(torch.ones(1, 2, 9, 9), extra)
    assert out.shape == (1, 2, 9 + extra, 9 + extra)
    assert torch.allclose(out[..., 3:-3, 3:-3], torch.ones(()))


def test_upsample_keeps_a_constant_inside_and_doubles() -> None:
    out = upsample(torch.full((1, 3, 8, 8), 0.7))
    assert out.shape == (1, 3, 16, 16)
    assert torch.allclose(out[..., 2:-2, 2:-2], torch.tensor(0.7))


def test_leaky_relu_keeps_the_second_moment() -> None:
    x = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    assert leaky_relu(x).square().mean().item() == pytest.approx(1.04, rel=0.02)


def test_equalised_layers_start_with_outputs_of_unit_variance() -> None:
    torch.manual_seed(0)
    assert Linear(64, 64)(torch.randn(4000, 64)).var().item() == pytest.approx(1.0, rel=0.1)
    x = torch.randn(8, 32, 12, 12)
    out = Convolution(32, 32, 3, activate=False)(x)[..., 1:-1, 1:-1]
    assert out.var().item() == pytest.approx(1.0, rel=0.1)


def test_effective_weights_survive_a_round_trip() -> None:
    layer = Linear(3, 2, rate=0.01)
    weight, bias = torch.tensor([[1.0, 2, 3], [4, 5, 6]]).double(), torch.tensor([7.0, 8]).double()
    layer.load_effective(weight, bias)
    x = torch.tensor([[1.0, 1.0, 1.0]])
    assert torch.allclose(layer(x), torch.tensor([[13.0, 23.0]]), atol=1e-4)
    assert torch.allclose(layer.effective()[0], weight, atol=1e-6)


def test_minibatch_standard_deviation_of_a_known_group() -> None:
    # Two images whose pixels differ by 2 everywhere: the deviation of {0, 2} is 1.
    x = torch.stack([torch.zeros(1, 2, 2), torch.full((1, 2, 2), 2.0)])
    out = minibatch_standard_deviation(x, group=2)
    assert out.shape == (2, 2, 2, 2)
    assert torch.allclose(out[:, 1], torch.ones(2, 2, 2), atol=1e-4)

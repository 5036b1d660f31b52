"""Building blocks of StyleGAN2 (Karras et al. 2020, arXiv 1912.04958), laid out for speed.

Everything is written so that a batch stays in one dense convolution: modulation scales the
input activations and demodulation the output ones, which equals modulating the weights (their
§2.2) without a convolution of its own for each image. Up-sampling is a transposed convolution of
stride 2, whose arithmetic happens at the low resolution, followed by the blur.
"""

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

LEAKY_SLOPE = 0.2
LEAKY_GAIN = math.sqrt(2.0)
"""Gain that keeps the second moment of a leaky ReLU's output at that of its input."""


def channels_last(network: Network) -> Network:
    """Lay the weights of ``network`` out channels last, in place, and return it."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def leaky_relu(x: Tensor) -> Tensor:
    """Return the leaky ReLU of ``x`` (slope 0.2), scaled by √2."""
    return F.leaky_relu(x, LEAKY_SLOPE) * LEAKY_GAIN


class Linear(nn.Module):
    """Fully connected layer with equalised learning rate (Karras et al. 2018, §4.1).

    Weights are stored with unit variance and scaled by 1/√fan_in in every forward pass.

    Args:
        inputs: number of input features.
        outputs: number of output features.
        activate: whether a leaky ReLU follows.
        bias: initial value of the bias.
        rate: multiplier of the learning rate of this layer (0.01 in StyleGAN's mapping network).
        multiple: zeros are appended to the inputs up to a multiple of it. In gradients of other
            widths than multiples of 4, matrix products without AVX-512 round a row by its place in
            the batch.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activate: bool = False,
        bias: float = 0.0,
        rate: float = 1.0,
        multiple: int = 1,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.activate = activate
        self.gain = rate / math.sqrt(inputs)
        self.rate = rate
        self.padding = -inputs % multiple

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs) to (N, outputs)."""
        weight = self.weight * self.gain
        if self.padding:
            x, weight = (F.pad(part, (0, self.padding)) for part in (x, weight))
        x = F.linear(x, weight, self.bias * self.rate)
        return leaky_relu(x) if self.activate else x

    def effective(self) -> tuple[Tensor, Tensor]:
        """Return the weight (outputs, inputs) and bias that are applied, float64, on the CPU."""
        weight, bias = (part.detach().cpu().double() for part in (self.weight, self.bias))
        return weight * self.gain, bias * self.rate

    @torch.no_grad()
    def load_effective(self, weight: Tensor, bias: Tensor) -> None:
        """Take over the weight and bias that the layer is to apply, its own scaling undone."""
        self.weight.copy_((weight / self.gain).to(self.weight.dtype))
        self.bias.copy_((bias / self.rate).to(self.bias.dtype))


class Convolution(nn.Module):
    """Convolution with equalised learning rate, optionally blurred and halved in resolution."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        down: bool = False,
        activate: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = 1.0 / math.sqrt(inputs * kernel * kernel)
        self.down = down
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W), or half of H and W where ``down``."""
        kernel = self.weight.shape[-1]
        if self.down:
            x = blur(x, extra=kernel - 2)
        x = F.conv2d(
            x,
            self.weight * self.gain,
            self.bias,
            stride=2 if self.down else 1,
            padding=0 if self.down else kernel // 2,
        )
        return leaky_relu(x) if self.activate else x


class ModulatedConvolution(nn.Module):
    """3×3 convolution whose input channels are scaled by a style, and whose output is demodulated.

    Equations 1 and 3 of Karras et al. 2020: with scales s_i for the input channels, the weights
    are w′_ijk = s_i·w_ijk and the output channel j is divided by √(Σ w′_ijk² + ε), so that inputs
    of unit variance give outputs of unit variance.

    Args:
        inputs: number of input channels.
        outputs: number of output channels.
        style: width of w.
        up: whether the resolution is doubled.
    """

    def __init__(self, inputs: int, outputs: int, style: int, up: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Linear(style, inputs, bias=1.0)
        self.gain = 1.0 / math.sqrt(inputs * 9)
        self.up = up

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and w (N, style) to (N, outputs, H, W), doubled where ``up``."""
        x, demodulation = self._modulate_and_convolve(x, w)
        # One pass over the activations for factor and bias, in their own precision; the gain of
        # the activation goes with them, since a leaky ReLU lets positive factors through.
        bias = (self.bias * LEAKY_GAIN).to(x.dtype).view(1, -1, 1, 1)
        x = torch.addcmul(bias, x, (demodulation * LEAKY_GAIN).to(x.dtype)[:, :, None, None])
        return F.leaky_relu(x, LEAKY_SLOPE)

    def convolve(self, x: Tensor, w: Tensor) -> Tensor:
        """The demodulated convolution alone, before bias and activation."""
        x, demodulation = self._modulate_and_convolve(x, w)
        return x * demodulation[:, :, None, None]

    def _modulate_and_convolve(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        weight = self.weight * self.gain
        scale = self.affine(w)
        demodulation = torch.rsqrt(scale.square() @ weight.square().sum((2, 3)).T + 1e-8)
        x = x * scale[:, :, None, None]
        if self.up:
            # The blur's gain of 4 makes up for the zeros between the samples.
            x = F.conv_transpose2d(x, weight.transpose(0, 1) * 4.0, stride=2)
            x = blur(x, extra=-1)
        else:
            x = F.conv2d(x, weight, padding=1)
        return x, demodulation


class ToImage(nn.Module):
    """1×1 modulated convolution to image channels, without demodulation (Karras et al. 2020)."""

    def __init__(self, inputs: int, channels: int, style: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.affine = Linear(style, inputs, bias=1.0)
        self.gain = 1.0 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and w (N, style) to (N, channels, H, W)."""
        scale = self.affine(w) * self.gain
        return F.conv2d(x * scale[:, :, None, None], self.weight, self.bias)


def blur(x: Tensor, extra: int) -> Tensor:
    """Low-pass ``x`` with the separable filter [1, 3, 3, 1]/8 of StyleGAN2.

    [1, 3, 3, 1] is three averages of neighbours in a row: a 4-tap binomial, which a depthwise
    convolution applies in one pass.

    Args:
        x: (N, C, H, W).
        extra: how much larger (or smaller) than H and W the result is, −3 … 3.

    Returns:
        (N, C, H + extra, W + extra).
    """
    before = (3 + extra + 1) // 2
    after = 3 + extra - before
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8.0
    kernel = (taps[:, None] * taps[None, :]).expand(x.shape[1], 1, 4, 4)
    if before == after:
        return F.conv2d(x, kernel, padding=before, groups=x.shape[1])
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, groups=x.shape[1])


def upsample(x: Tensor) -> Tensor:
    """Double H and W of ``x`` with the same filter, for the skip path of images."""
    channels = x.shape[1]
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 4.0
    kernel = (taps[:, None] * taps[None, :]).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


def minibatch_standard_deviation(x: Tensor, group: int = 4) -> Tensor:
    """Append the mean standard deviation over groups of images as one more channel.

    Karras et al. 2018 (arXiv 1710.10196), §3; it lets the critic see variety.

    Args:
        x: (N, C, H, W).
        group: images in a group; the largest divisor of N that is not above it is taken.

    Returns:
        (N, C + 1, H, W).
    """
    count, _, height, width = x.shape
    group = next(size for size in range(min(group, count), 0, -1) if count % size == 0)
    x_of_group = x.float().reshape(group, -1, *x.shape[1:])
    # Written out: torch's own variance over the first dimension takes several times as long.
    deviation = ((x_of_group - x_of_group.mean(0)).square().mean(0) + 1e-8).sqrt()
    statistic = deviation.mean((1, 2, 3)).repeat(group).view(-1, 1, 1, 1).to(x.dtype)
    return torch.cat([x, statistic.expand(-1, 1, height, width)], dim=1)

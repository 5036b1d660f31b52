"""The networks of this project in the layout that textbooks and first implementations have.

The weights are those of the project's layers, and so are the results wherever the arithmetic only
is arranged differently (everything but up-sampling, whose filter is another). What differs:

- modulation: each image gets weights of its own, in one convolution with a group for each image,
  as StyleGAN2 was published (Karras et al. 2020, arXiv 1912.04958, §2.2 and appendix B);
- up-sampling: bilinear interpolation, then a 3×3 convolution at the high resolution;
- memory: contiguous (N, C, H, W), in float32.
"""

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glance_pipeline.twin.networks.generator import Generator, SynthesisBlock
from glance_pipeline.twin.networks.layers import (
    ModulatedConvolution,
    ToImage,
    leaky_relu,
)
from glance_pipeline.twin.objectives.twin_pass import Batch
from glance_pipeline.twin.training.data import TrainingData

Network = TypeVar("Network", bound=nn.Module)


def convolve_each(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve each image with its own weights, in as many groups.

    Args:
        x: (N, inputs, H, W).
        weight: (N, outputs, inputs, k, k), k odd.

    Returns:
        (N, outputs, H, W).
    """
    count, outputs = weight.shape[:2]
    height, width = x.shape[2:]
    x = F.conv2d(
        x.reshape(1, -1, height, width),
        weight.flatten(0, 1),
        padding=weight.shape[-1] // 2,
        groups=count,
    )
    return x.view(count, outputs, height, width)


def interpolate(x: Tensor) -> Tensor:
    """Double H and W by bilinear interpolation."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class TextbookModulatedConvolution(ModulatedConvolution):
    """Modulated and demodulated weights for each image; interpolation before the convolution."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and w (N, style) to (N, outputs, H, W), doubled where ``up``."""
        return leaky_relu(self.convolve(x, w) + self.bias.view(1, -1, 1, 1))

    def convolve(self, x: Tensor, w: Tensor) -> Tensor:
        """The demodulated convolution alone, before bias and activation."""
        weight = self.weight * self.gain * self.affine(w)[:, None, :, None, None]
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        return convolve_each(interpolate(x) if self.up else x, weight)


class TextbookToImage(ToImage):
    """Modulated weights for each image."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and w (N, style) to (N, channels, H, W)."""
        weight = self.weight * (self.affine(w) * self.gain)[:, None, :, None, None]
        return convolve_each(x, weight) + self.bias.view(1, -1, 1, 1)


class TextbookSynthesisBlock(SynthesisBlock):
    """The image of the resolution before is interpolated."""

    def forward(self, x: Tensor, image: Tensor | None, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of this resolution and the image summed up so far."""
        if self.first is not None:
            x = self.first(x, w)
        x = self.second(x, w)
        drawn = self.to_image(x, w)
        return x, drawn if image is None else drawn + interpolate(image)


class TextbookGenerator(Generator):
    """Features stay contiguous."""

    def synthesise(self, w: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Draw images of w (N, style); also return the features of every resolution."""
        x = self.constant.repeat(len(w), 1, 1, 1)
        image: Tensor | None = None
        features = []
        for block in self.blocks:
            x, image = block(x, image, w)
            features.append(x)
        assert image is not None
        return image, features


LAYOUT: dict[type[nn.Module], type[nn.Module]] = {
    Generator: TextbookGenerator,
    ModulatedConvolution: TextbookModulatedConvolution,
    SynthesisBlock: TextbookSynthesisBlock,
    ToImage: TextbookToImage,
}


def lay_out_as_in_textbooks(network: Network) -> Network:
    """Give every layer of ``network`` its textbook counterpart, in place, and return it.

    Parameters stay the same objects, so that an optimiser that holds them goes on with them.
    """
    for module in network.modules():
        module.__class__ = LAYOUT.get(type(module), type(module))
    for parameter in network.parameters():
        # A plain .contiguous() leaves the strides of a tensor with one channel as they were.
        parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
    return network


@dataclass(frozen=True)
class ContiguousData(TrainingData):
    """Training data whose batches are contiguous (N, C, H, W)."""

    def batch(self, rows: Tensor, device: torch.device | None = None) -> Batch:
        """Return the float batch of some rows, (B,) integers, on ``device``."""
        batch = super().batch(rows, device)
        images = batch.images.clone(memory_format=torch.contiguous_format)
        return Batch(images, batch.answer, batch.context)

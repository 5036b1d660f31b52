"""StyleGAN2's generator (Karras et al. 2020, arXiv 1912.04958) driven by a code instead of noise.

Noise inputs and style mixing are left out: in a twin surrogate whatever changes the image must
be in the code, or interventions on it would be blurred by chance.
"""

import torch
from torch import Tensor, nn

from glance_pipeline.twin.networks.layers import Linear, ModulatedConvolution, ToImage, upsample
from glance_pipeline.twin.networks.sizes import check_widths


class MappingNetwork(nn.Module):
    """From a code (N, code) to w (N, style).

    The first layer is linear in the code and kept apart (``entry``), so that a change of basis of
    the code can be undone in it exactly.

    Args:
        code: number of code dimensions.
        style: width of w and of the hidden layers.
        layers: number of layers, at least 2.
    """

    def __init__(self, code: int, style: int, layers: int) -> None:
        super().__init__()
        self.entry = Linear(code, style, activate=True, multiple=4)
        self.hidden = nn.Sequential(
            *(Linear(style, style, activate=True) for _ in range(layers - 1))
        )

    def forward(self, code: Tensor) -> Tensor:
        """Map codes (N, code) to w (N, style)."""
        return self.hidden(self.entry(code))


class SynthesisBlock(nn.Module):
    """One resolution: an up-sampling convolution (none at 4×4), a convolution, a skip output."""

    def __init__(self, inputs: int, outputs: int, style: int, channels: int, up: bool) -> None:
        super().__init__()
        self.first = ModulatedConvolution(inputs, outputs, style, up=True) if up else None
        self.second = ModulatedConvolution(outputs, outputs, style)
        self.to_image = ToImage(outputs, channels, style)

    def forward(self, x: Tensor, image: Tensor | None, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of this resolution and the image summed up so far."""
        if self.first is not None:
            x = self.first(x, w)
        x = self.second(x, w)
        drawn = self.to_image(x, w)
        return x, drawn if image is None else drawn + upsample(image)


class Generator(nn.Module):
    """Mapping network, learned 4×4 constant and skip-output synthesis.

    Args:
        code: number of code dimensions.
        resolution: height and width of the images, a power of two ≥ 8.
        image_channels: 1 (grey) or 3 (RGB).
        widths: feature channels at 4, 8, …, ``resolution``.
        style: width of w.
        mapping_layers: layers of the mapping network.

    Raises:
        ValueError: if the resolution is no power of two, or the widths do not fit it.
    """

    def __init__(
        self,
        code: int,
        resolution: int,
        image_channels: int,
        widths: tuple[int, ...],
        style: int,
        mapping_layers: int,
    ) -> None:
        super().__init__()
        check_widths(resolution, widths)
        self.mapping = MappingNetwork(code, style, mapping_layers)
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        inputs = (widths[0], *widths[:-1])
        self.blocks = nn.ModuleList(
            SynthesisBlock(before, width, style, image_channels, up=index > 0)
            for index, (before, width) in enumerate(zip(inputs, widths, strict=True))
        )

    def forward(self, code: Tensor) -> Tensor:
        """Draw the images (N, C, H, W), about [−1, 1], of codes (N, code)."""
        return self.synthesise(self.mapping(code))[0]

    def activations(self, code: Tensor) -> list[Tensor]:
        """Return the features of every resolution (N, C, H, W), coarse to fine, and the images."""
        image, features = self.synthesise(self.mapping(code))
        return [*features, image]

    def synthesise(self, w: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Draw images of w (N, style); also return the features of every resolution."""
        x = self.constant.expand(len(w), -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        image: Tensor | None = None
        features = []
        for block in self.blocks:
            x, image = block(x, image, w)
            features.append(x)
        assert image is not None
        return image, features

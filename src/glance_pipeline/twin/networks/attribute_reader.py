"""The attribute reader A: context features read off an image."""

from typing import Any

from torch import Tensor, nn

from glance_pipeline.twin.networks.layers import Linear, channels_last
from glance_pipeline.twin.networks.trunk import ConvolutionalTrunk


class AttributeReader(nn.Module):
    """Regress standardised context features from images, on a convolutional trunk.

    Args:
        features: names of the context features, in the order of the output.
        image_shape: (channels, height, width).
        widths: feature channels at 4, 8, …, height.
        hidden: width of the hidden layer.
    """

    def __init__(
        self,
        features: tuple[str, ...],
        image_shape: tuple[int, int, int],
        widths: tuple[int, ...],
        hidden: int,
    ) -> None:
        super().__init__()
        self.header = {
            "features": features,
            "image_shape": image_shape,
            "widths": widths,
            "hidden": hidden,
        }
        self.trunk = ConvolutionalTrunk(image_shape[1], image_shape[0], widths)
        self.head = nn.Sequential(
            Linear(self.trunk.outputs, hidden, activate=True), Linear(hidden, len(features))
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return standardised features (N, J) of images (N, C, H, W) in [−1, 1]."""
        return self.head(self.trunk(images))

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a JSON-able header from which ``from_weights`` builds an equal one."""
        return dict(self.state_dict()), self.header

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> "AttributeReader":
        """Build the reader that ``to_weights`` described."""
        reader = cls(
            tuple(header["features"]),
            tuple(header["image_shape"]),
            tuple(header["widths"]),
            header["hidden"],
        )
        reader.load_state_dict(tensors)
        return channels_last(reader).requires_grad_(False).eval()

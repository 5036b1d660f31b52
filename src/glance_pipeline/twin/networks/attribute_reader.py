"""The attribute reader A: context features read off an image."""

from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.context.watched import Watched
from glance_pipeline.twin.networks.layers import Linear, channels_last
from glance_pipeline.twin.networks.trunk import ConvolutionalTrunk


class AttributeReader(nn.Module):
    """Regress standardised context features from images, on a convolutional trunk.

    Args:
        features: names of the context features, in the order of the output.
        image_shape: (channels, height, width).
        widths: feature channels at 4, 8, …, height.
        hidden: width of the hidden layer.
        properties: names of measured properties that are read too, after the features.
    """

    property_mean: Tensor
    property_std: Tensor
    follows: Tensor

    def __init__(
        self,
        features: tuple[str, ...],
        image_shape: tuple[int, int, int],
        widths: tuple[int, ...],
        hidden: int,
        properties: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.header = {
            "features": features,
            "image_shape": image_shape,
            "widths": widths,
            "hidden": hidden,
        }
        self.features, self.properties = features, properties
        if properties:
            self.header["properties"] = properties
            self.register_buffer("property_mean", torch.zeros(len(properties)))
            self.register_buffer("property_std", torch.ones(len(properties)))
            self.register_buffer("follows", torch.zeros(len(features), len(properties)))
        self.trunk = ConvolutionalTrunk(image_shape[1], image_shape[0], widths)
        self.head = nn.Sequential(
            Linear(self.trunk.outputs, hidden, activate=True),
            Linear(hidden, len(features) + len(properties)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return standardised features and properties (N, J + P) of images in [−1, 1]."""
        return self.head(self.trunk(images))

    @property
    def watched(self) -> Watched | None:
        """The properties that it reads besides; None if there are none."""
        if not self.properties:
            return None
        parts = (self.property_mean, self.property_std, self.follows)
        return Watched(self.properties, *(part.cpu().numpy() for part in parts))

    def watch(self, watched: Watched) -> None:
        """Take over scale and bonds of the properties, which it is to have been built for."""
        self.property_mean.copy_(torch.tensor(watched.mean))
        self.property_std.copy_(torch.tensor(watched.std))
        self.follows.copy_(torch.tensor(watched.follows))

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
            tuple(header.get("properties", ())),
        )
        reader.load_state_dict(tensors)
        return channels_last(reader).requires_grad_(False).eval()

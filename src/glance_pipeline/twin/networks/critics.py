"""Both adversaries together, so that they pass from stage to stage as one set of weights."""

from typing import Any

from torch import Tensor, nn

from glance_pipeline.twin.networks.discriminator import Discriminator, FeatureDiscriminator
from glance_pipeline.twin.networks.layers import channels_last


class Critics(nn.Module):
    """The adversary on images and the one on features.

    Args:
        image_shape: (channels, height, width).
        widths: feature channels of the image critic at 4, 8, …, height.
        features: F, width of the teacher's penultimate features.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], widths: tuple[int, ...], features: int
    ) -> None:
        super().__init__()
        self.header = {"image_shape": image_shape, "widths": widths, "features": features}
        self.images = Discriminator(image_shape[1], image_shape[0], widths)
        self.features = FeatureDiscriminator(features)

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a JSON-able header from which ``from_weights`` builds an equal one."""
        return dict(self.state_dict()), self.header

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> "Critics":
        """Build the critics that ``to_weights`` described."""
        critics = cls(tuple(header["image_shape"]), tuple(header["widths"]), header["features"])
        critics.load_state_dict(tensors)
        return channels_last(critics)

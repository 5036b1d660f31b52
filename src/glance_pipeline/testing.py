"""Tiny networks for tests: seconds to build, every code path of the real ones."""

import torch
from torch import Tensor, nn

from glance_pipeline.classifier import Classifier, ClassifierSpecification
from glance_pipeline.networks import Concept, SurrogateShape, TwinSurrogate


class MomentNetwork(nn.Module):
    """A glass box: three logits that are known linear functions of simple image moments.

    With images x in [0, 1]: features are the mean, the left-right and the up-down balance;
    the logits are a linear map of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]]))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, 3)."""
        ramp = torch.linspace(-1, 1, images.shape[-1], device=images.device)
        moments = [images.mean((1, 2, 3)), (images * ramp).mean((1, 2, 3))]
        moments.append((images * ramp[:, None]).mean((1, 2, 3)))
        return self.linear(torch.stack(moments, 1))


def tiny_classifier(size: int = 8, channels: int = 1) -> Classifier:
    """Return the glass box ``MomentNetwork`` as a teacher with classes ``a``, ``b``, ``c``."""
    specification = ClassifierSpecification(
        image_shape=(channels, size, size), class_names=("a", "b", "c")
    )
    return Classifier(MomentNetwork(), specification)


def tiny_surrogate(size: int = 8, channels: int = 1, seed: int = 0) -> TwinSurrogate:
    """Return an untrained surrogate with aligned concepts ``size`` and ``tilt`` and one latent."""
    torch.manual_seed(seed)
    widths = {8: (8, 8), 16: (8, 8, 4), 32: (8, 8, 4, 4)}[size]
    shape = SurrogateShape((channels, size, size), 3, 3, 3, 4, widths, style=16, hidden=16)
    concepts = [
        Concept("size", "aligned", "px", mean=3.0, std=0.5),
        Concept("tilt", "aligned", "rad", mean=0.1, std=0.3),
        Concept("latent_1", "latent"),
    ]
    surrogate = TwinSurrogate(shape, concepts).eval()
    return surrogate.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

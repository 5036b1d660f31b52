"""What a reader makes of a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.penultimate import WithFeatures


@dataclass(frozen=True)
class LoadedNetwork:
    """A network as it came out of a file, and what the file says of it.

    Attributes:
        network: maps normalised images to outputs; a ``BlackBox`` where it has no gradients.
        known: fields of ``ClassifierSpecification`` that the file holds, and ``network_shape``,
            (channels, height, width) of its input, None if one is open.
        entry: fields of the catalog entry that were settled while reading.
        said: what was settled, sentences for the log.
    """

    network: nn.Module
    known: dict[str, Any] = field(default_factory=dict)
    entry: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


class BothOutputs(WithFeatures):
    """A network whose graph was made to give outputs and penultimate features at once.

    Args:
        function: maps normalised images (N, C, H, W) to outputs (N, K) and features (N, …).
        batch: number of images it takes at a time, where the file fixes that.
    """

    def __init__(
        self, function: Callable[[Tensor], tuple[Tensor, Tensor]], batch: int | None = None
    ) -> None:
        super().__init__()
        self.function = function
        self.batch = batch

    def answer(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs, and features (N, F)."""
        if self.batch is None:
            said, features = self.function(images)
            return said, features.flatten(1)
        answers = [self._filled(part) for part in images.split(self.batch)]
        said, features = (torch.cat(parts) for parts in zip(*answers, strict=True))
        return said, features

    def _filled(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Ask about fewer images than the network takes by repeating the last."""
        assert self.batch is not None
        repeats = images[-1:].expand(self.batch - len(images), -1, -1, -1)
        said, features = self.function(torch.cat([images, repeats]).contiguous())
        return said[: len(images)], features[: len(images)].flatten(1)


class InFloat32(nn.Module):
    """A program of another precision, asked in float32.

    With weights in float32 it runs in that, unless it was written to bring its input to another
    type by itself: then it is asked as it was, and its answers are brought to float32.

    Args:
        widened: the program with its weights in float32.
        original: the program as it was.
        kind: what ``original`` takes.
    """

    def __init__(
        self,
        widened: Callable[[Tensor], tuple[Tensor, Tensor]],
        original: Callable[[Tensor], tuple[Tensor, Tensor]],
        kind: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.widened = widened
        self.original = original
        self.kind = kind
        self._runs_widened: bool | None = None

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and features of normalised images (N, C, H, W), all in float32.

        Raises:
            RuntimeError: if neither takes the images: what the program in float32 says.
        """
        if self._runs_widened is False:
            return self._as_it_was(images)
        try:
            said, features = self.widened(images)
        except RuntimeError as error:
            if self._runs_widened:
                raise
            try:
                answer = self._as_it_was(images)
            except RuntimeError:
                raise error from None
            self._runs_widened = False
            return answer
        self._runs_widened = True
        return said.float(), features.float()

    def _as_it_was(self, images: Tensor) -> tuple[Tensor, Tensor]:
        said, features = self.original(images.to(self.kind))
        return said.float(), features.float()

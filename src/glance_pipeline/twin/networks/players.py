"""The networks of a training stage: two that are trained, and those that answer to them."""

from dataclasses import dataclass

from torch import nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.surrogate import TwinSurrogate


@dataclass(frozen=True, eq=False)
class Players:
    """The networks of a training stage.

    Attributes:
        surrogate: is trained.
        critics: its adversaries, trained beside it.
        classifier: the frozen teacher.
        reader: the frozen attribute reader, (B, C, H, W) → standardised (B, J); None before
            alignment.
    """

    surrogate: TwinSurrogate
    critics: Critics
    classifier: Classifier
    reader: nn.Module | None = None

    @property
    def frozen(self) -> list[nn.Module]:
        """Those that are not trained."""
        return [self.classifier] if self.reader is None else [self.classifier, self.reader]

"""Where images come from: their names, how each is read, and what is said of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters, ReadingLimits
from glance_pipeline.images import Raw

Reader = Callable[[], Raw]
"""Reads one image; it may be called in any thread, and raises OSError or ValueError."""


@dataclass(frozen=True)
class Rules:
    """What is read and what is refused; see ``config.ingest.IngestParameters``."""

    follow_links: bool = False
    image_column: str | None = None
    limits: ReadingLimits = field(default_factory=ReadingLimits)

    @classmethod
    def of(cls, parameters: IngestParameters) -> "Rules":
        """Return those of the pipeline's parameters."""
        return cls(parameters.links == "anywhere", parameters.image_column, parameters.limits)


@dataclass(frozen=True)
class ImageSource:
    """Images that have been found but not read.

    Attributes:
        place: what messages call it.
        names: names of the images: paths relative to the source, with ``/``; numbers in an array.
        read: gives a reader for each of the rows it is asked for, in their order.
        columns: what the source itself says of its images, one row each; often nothing.
        in_any_order: whether ``read`` takes rows in any order, or in rising order only.
        has_order: whether the images are known by their order, as those of an array are; a list
            without names, such as a file of labels, is then known to be in it too.
    """

    place: str
    names: tuple[str, ...]
    read: Callable[[Sequence[int]], Iterator[Reader]]
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    in_any_order: bool = True
    has_order: bool = False

    def __len__(self) -> int:
        return len(self.names)

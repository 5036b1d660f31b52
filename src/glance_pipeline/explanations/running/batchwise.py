"""Explanations that are made as they are taken, batch by batch."""

from collections.abc import Iterator

from tqdm import tqdm

from glance_pipeline.explanations.result.explanation import Explanation
from glance_pipeline.explanations.running.local import LocalExplanations
from glance_pipeline.explanations.running.selection import ChosenImages


class BatchwiseExplanations:
    """Explains images as its explanations are taken, so that only one batch is in memory.

    Each pass over it explains them anew. It is no iterator, and so Kedro hands it to a dataset as
    it is, which writes all of it or nothing.

    Args:
        methods: explain.
        chosen: images.
        rows: which of them; all by default. A range that begins and ends between two batches
            gives the same bytes as the whole: what a network computes hangs, in its last bits, on
            how many images it is given at once.
        progress: whether a bar is shown.
    """

    def __init__(
        self,
        methods: LocalExplanations,
        chosen: ChosenImages,
        rows: range | None = None,
        progress: bool = True,
    ) -> None:
        self.methods = methods
        self.chosen = chosen
        self.rows = range(len(chosen)) if rows is None else rows
        self.progress = progress

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Explanation]:
        size = self.methods.parameters.at_once
        with tqdm(total=len(self), desc="explain", unit="image", disable=not self.progress) as bar:
            for start in range(0, len(self), size):
                images, sources = self.chosen.read(self.rows[start : start + size])
                for explanation in self.methods.explain(images, sources):
                    yield explanation
                    bar.update()

"""Dataset of a folder of explanations."""

from collections.abc import Iterable
from typing import Any

from kedro.io import DatasetError

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.result.explanation_folder import (
    SavedExplanations,
    write_explanations,
)
from glance_pipeline.support.whole import whole_folder


class ExplanationFolderDataset(VersionedPathDataset[Any]):
    """A folder with a folder for each explained image, written whole or not at all.

    It is saved from any iterable, explanation by explanation, and loads as a sequence that reads
    what it is asked for. In the catalog::

        explanations:
          type: glance_pipeline.datasets.explanation_folder_dataset.ExplanationFolderDataset
          filepath: ${globals:data_root}/07_model_output/explanations
          versioned: true
    """

    def load(self) -> SavedExplanations:
        """Open the folder; the explanations are read one by one."""
        path = self.load_path
        try:
            return SavedExplanations.of(path)
        except (FileNotFoundError, ValueError) as error:
            raise DatasetError(f"explanations {path}: {error}") from error

    def save(self, data: Iterable[Explanation]) -> None:
        """Write into a folder beside the final one, then rename it."""
        with whole_folder(self.save_path) as unfinished:
            write_explanations(unfinished, data)

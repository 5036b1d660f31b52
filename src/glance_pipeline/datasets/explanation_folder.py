"""Dataset of a folder of explanations."""

import shutil
import tempfile
from pathlib import Path

from kedro.io import DatasetError

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.folder import read_explanations, write_explanations


class ExplanationFolderDataset(VersionedPathDataset[list[Explanation]]):
    """A folder with a folder for each explained image, written whole or not at all.

    In the catalog::

        explanations:
          type: glance_pipeline.datasets.explanation_folder.ExplanationFolderDataset
          filepath: ${globals:data_root}/07_model_output/explanations
          versioned: true
    """

    def load(self) -> list[Explanation]:
        """Read all explanations of the folder."""
        path = self.load_path
        try:
            return read_explanations(path)
        except (FileNotFoundError, ValueError, KeyError) as error:
            raise DatasetError(f"explanations {path}: {error}") from error

    def save(self, data: list[Explanation]) -> None:
        """Write into a folder beside the final one, then rename it."""
        path = self.save_path
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            write_explanations(unfinished, data)
            unfinished.chmod(0o755)
            if path.exists():
                shutil.rmtree(path)
            unfinished.rename(path)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

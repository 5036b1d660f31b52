"""Dataset of a folder of explanations."""

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError, Version

from glance_pipeline.explanations import Explanation
from glance_pipeline.explanations.folder import INDEX, read_explanations, write_explanations


class ExplanationFolderDataset(AbstractVersionedDataset[list[Explanation], list[Explanation]]):
    """A folder with a folder for each explained image, written whole or not at all.

    In the catalog::

        explanations:
          type: glance_pipeline.datasets.explanation_folder.ExplanationFolderDataset
          filepath: ${globals:data_root}/07_model_output/explanations
          versioned: true

    Args:
        filepath: The folder, or the folder of its versions.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self.metadata = metadata

    def load(self) -> list[Explanation]:
        """Read all explanations of the folder."""
        path = Path(self._get_load_path())
        try:
            return read_explanations(path)
        except (FileNotFoundError, ValueError, KeyError) as error:
            raise DatasetError(f"explanations {path}: {error}") from error

    def save(self, data: list[Explanation]) -> None:
        """Write into a folder beside the final one, then rename it."""
        path = Path(self._get_save_path())
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

    def _exists(self) -> bool:
        return (Path(self._get_load_path()) / INDEX).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}

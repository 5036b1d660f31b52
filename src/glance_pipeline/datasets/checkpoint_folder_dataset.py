"""Dataset of the folder in which a stage keeps its training state."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class CheckpointFolderDataset(AbstractDataset[NoReturn, Path]):
    """A folder that a stage writes into while it trains, so that it can be resumed.

    It loads as a ``Path`` and is made on demand. It is never versioned: the next run has to find
    what a killed one left.

    Args:
        filepath: The folder.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder, created where it is missing."""
        self._filepath.mkdir(parents=True, exist_ok=True)
        return self._filepath

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: a stage writes its checkpoints itself."""
        raise DatasetError(f"checkpoint folder {self._filepath}: it cannot be saved to")

    def _exists(self) -> bool:
        return True  # it can always be loaded, so no earlier pipeline is missing

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

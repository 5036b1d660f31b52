"""What the datasets of this project's nouns have in common: one path, versioned or not."""

from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, TypeVar

from kedro.io import AbstractVersionedDataset, Version

Noun = TypeVar("Noun")


class VersionedPathDataset(AbstractVersionedDataset[Noun, Noun]):
    """A noun at one path; a subclass says how it is loaded and saved.

    Args:
        filepath: The file or folder, or the folder of its versions.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    suffix: ClassVar[str] = ""
    """What the name of the file gets where it has no suffix; the folder of versions stays."""

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self.metadata = metadata

    @property
    def load_path(self) -> Path:
        """Where it is loaded from."""
        return Path(self._get_load_path())

    @property
    def save_path(self) -> Path:
        """Where it is saved to."""
        return Path(self._get_save_path())

    def _exists(self) -> bool:
        return self.load_path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}

    def _get_versioned_path(self, version: str) -> PurePosixPath:
        return self._with_suffix(super()._get_versioned_path(version))

    def _get_load_path(self) -> PurePosixPath:
        return self._with_suffix(super()._get_load_path())

    def _get_save_path(self) -> PurePosixPath:
        return self._with_suffix(super()._get_save_path())

    def _with_suffix(self, path: PurePosixPath) -> PurePosixPath:
        return path if path.suffix else path.with_name(path.name + self.suffix)

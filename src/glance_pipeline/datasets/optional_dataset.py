"""Dataset of what a project may have or not."""

from typing import Any

from kedro.io import AbstractDataset, Version

from glance_pipeline.datasets.versioned_path import VersionedPathDataset


class OptionalDataset(VersionedPathDataset[Any]):
    """Another dataset at the same path, which loads None if there is no file.

    A pipeline that reads it runs all the same: ``prerequisites`` asks for nothing that
    ``may_be_absent``. In the catalog::

        known_graph:
          type: glance_pipeline.datasets.OptionalDataset
          dataset: glance_pipeline.datasets.JsonDataset
          filepath: ${globals:data_root}/05_model_input/known_graph.json
          versioned: true

    Args:
        dataset: Type of the other dataset, as a catalog would name it.
        filepath: The file, or the folder of its versions.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
        version_as: Key under which a mapping that is loaded also tells its version; none by
            default.
    """

    def __init__(
        self,
        *,
        dataset: str,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
        version_as: str | None = None,
    ) -> None:
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._dataset = dataset
        self._version_as = version_as

    @property
    def may_be_absent(self) -> bool:
        """Whether None may be loaded: not where the run asks for one version of it."""
        return self._version is None or self._version.load is None

    def load(self) -> Any:
        """Load what the other dataset loads, or None if there is no file.

        Raises:
            DatasetError: if the other dataset cannot load the file, or the version that was
                asked for is not there.
        """
        if self.may_be_absent and not self.exists():
            return None
        loaded = self._at(str(self.load_path)).load()
        if self._version_as is None:
            return loaded
        return {**loaded, self._version_as: self.resolve_load_version()}

    def save(self, data: Any) -> None:
        """Save as the other dataset does."""
        self._at(str(self.save_path)).save(data)

    def _at(self, path: str) -> AbstractDataset[Any, Any]:
        return AbstractDataset.from_config(
            self._filepath.name, {"type": self._dataset, "filepath": path}
        )

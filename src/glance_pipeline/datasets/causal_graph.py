"""Dataset of the causal graph, as JSON of a documented schema."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError, Version

from glance_pipeline.causal.graph import CausalGraph
from glance_pipeline.datasets.whole_file import write_whole


class CausalGraphDataset(AbstractVersionedDataset[CausalGraph, CausalGraph]):
    """A causal graph in a JSON file; see ``docs/causal_graph_schema.md``.

    In the catalog::

        causal_graph:
          type: glance_pipeline.datasets.causal_graph.CausalGraphDataset
          filepath: ${globals:data_root}/07_model_output/causal_graph.json
          versioned: true

    Args:
        filepath: The file, or the folder of its versions.
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

    def load(self) -> CausalGraph:
        """Read the graph.

        Raises:
            DatasetError: where the file is no JSON of this schema and version.
        """
        path = Path(self._get_load_path())
        try:
            return CausalGraph.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetError(f"{path}: {error}") from error

    def save(self, data: CausalGraph) -> None:
        """Write the graph, all or nothing."""
        write_whole(Path(self._get_save_path()), data.to_json().encode())

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}

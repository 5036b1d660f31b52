"""Dataset of the causal graph, as JSON of a documented schema."""

from kedro.io import DatasetError

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.support.whole import write_whole


class CausalGraphDataset(VersionedPathDataset[CausalGraph]):
    """A causal graph in a JSON file; see ``docs/reference/causal_graph_schema.md``.

    In the catalog::

        causal_graph:
          type: glance_pipeline.datasets.causal_graph_dataset.CausalGraphDataset
          filepath: ${globals:data_root}/07_model_output/causal_graph.json
          versioned: true
    """

    def load(self) -> CausalGraph:
        """Read the graph.

        Raises:
            DatasetError: if the file is no JSON of this schema and version.
        """
        path = self.load_path
        try:
            return CausalGraph.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetError(f"{path}: {error}") from error

    def save(self, data: CausalGraph) -> None:
        """Write the graph, all or nothing."""
        write_whole(self.save_path, data.to_json().encode())

"""Dataset of the concept table, as a Parquet file that other tools can read."""

import io

import pandas as pd
from kedro.io import DatasetError
from kedro_datasets._typing import TablePreview

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.support.whole import write_whole
from glance_pipeline.twin.concept_table import ConceptTable


class ConceptTableDataset(VersionedPathDataset[ConceptTable]):
    """Concepts and margins of every image; columns say in their names what they are.

    In the catalog::

        concepts:
          type: glance_pipeline.datasets.concept_table_dataset.ConceptTableDataset
          filepath: ${globals:data_root}/07_model_output/concepts.parquet
          versioned: true
    """

    def load(self) -> ConceptTable:
        """Read the table.

        Raises:
            DatasetError: if the file is no Parquet file, or its columns are not a table's.
        """
        path = self.load_path
        try:
            return ConceptTable.from_frame(pd.read_parquet(path))
        except ValueError as error:  # pyarrow's ArrowInvalid is one
            raise DatasetError(f"{path}: {error}") from error

    def save(self, data: ConceptTable) -> None:
        """Write the table, all or nothing."""
        buffer = io.BytesIO()
        data.to_frame().to_parquet(buffer)
        write_whole(self.save_path, buffer.getvalue())

    def preview(self, nrows: int = 8) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        frame = pd.read_parquet(self.load_path).head(nrows).round(3)
        return TablePreview(frame.to_dict(orient="split"))

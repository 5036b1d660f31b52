"""Dataset of numbers and words in a JSON file that every reader of JSON can read."""

import json
import math
from collections.abc import Mapping
from typing import Any

from kedro.io import DatasetError
from kedro_datasets._typing import JSONPreview

from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.support.whole import write_whole

NOT_FINITE = "not_finite"
"""Key under which a mapping says which of its numbers were none, and what they were."""


class JsonDataset(VersionedPathDataset[Any]):
    """A JSON file without NaN and infinity, which JSON does not know though Python writes them.

    In their place stands null, and beside it, under ``not_finite``, what each was: a mean of
    nothing is ``nan``. In the catalog::

        metrics:
          type: glance_pipeline.datasets.JsonDataset
          filepath: ${globals:data_root}/08_reporting/metrics.json
          versioned: true
    """

    def load(self) -> Any:
        """Read the file.

        Raises:
            DatasetError: if it is no JSON.
        """
        path = self.load_path
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetError(f"{path}: found no JSON: {error}") from error

    def save(self, data: Any) -> None:
        """Write the file, all or nothing."""
        write_whole(self.save_path, as_json(data).encode())

    def preview(self) -> JSONPreview:
        """Return the file's text, for Kedro-Viz."""
        return JSONPreview(json.dumps(self.load()))


def as_json(data: Any) -> str:
    """Return ``data`` as JSON, with null for what is no finite number; see ``JsonDataset``."""
    found: dict[str, str] = {}
    clean = _finite(data, "", found)
    if found and isinstance(clean, dict):
        clean[NOT_FINITE] = found
    return json.dumps(clean, indent=2, allow_nan=False) + "\n"


def _finite(data: Any, place: str, found: dict[str, str]) -> Any:
    """Return ``data`` with None for what is no finite number, whose places go into ``found``."""
    if isinstance(data, float) and not math.isfinite(data):
        found[place] = str(data)
        return None
    if isinstance(data, Mapping):
        return {k: _finite(v, f"{place}.{k}" if place else str(k), found) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value, f"{place}.{n}", found) for n, value in enumerate(data)]
    return data

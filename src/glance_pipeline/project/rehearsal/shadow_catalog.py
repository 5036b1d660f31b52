"""The catalog of a rehearsal: few of the run's images, and every output in a temporary folder."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from kedro.io import AbstractDataset, CatalogProtocol, DataCatalog, MemoryDataset
from kedro.io.core import generate_timestamp, is_parameter
from kedro.pipeline import Pipeline

from glance_pipeline.datasets import CheckpointFolderDataset
from glance_pipeline.project.rehearsal.shortened_parameters import for_rehearsal, typed

logger = logging.getLogger(__name__)

OF_ROWS = ("images", "image_records", "context_features", "source_digits")
"""Datasets with one row for each image."""


class Borrowed(AbstractDataset[NoReturn, Any]):
    """A dataset of the run, which is only read.

    Args:
        dataset: the run's.
    """

    def __init__(self, dataset: AbstractDataset[Any, Any]) -> None:
        self._dataset = dataset

    def load(self) -> Any:
        """Load what the run would."""
        return self._dataset.load()

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: it is the run's."""
        raise NotImplementedError("a rehearsal writes nothing of the run's")

    def _describe(self) -> dict[str, Any]:
        return {"dataset": str(self._dataset)}


def shadow_catalog(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], rows: np.ndarray, folder: Path
) -> DataCatalog:
    """Return the catalog with which a rehearsal runs ``pipeline``.

    Args:
        pipeline: what is rehearsed.
        catalog: catalog of the run.
        rows: the images that the rehearsal takes.
        folder: where all outputs go.
    """
    made, version = pipeline.all_outputs(), generate_timestamp()
    datasets: dict[str, AbstractDataset[Any, Any]] = {}
    for name in pipeline.datasets():
        dataset = catalog.get(name) if name in catalog else None
        if dataset is None:
            datasets[name] = MemoryDataset()
        elif is_parameter(name):
            datasets[name] = _in_memory(_parameter(name, catalog, rows))
        elif name in made or isinstance(dataset, CheckpointFolderDataset):
            datasets[name] = elsewhere(name, dataset, folder / name, version)
        elif name in OF_ROWS:
            datasets[name] = _in_memory(of_rows(dataset.load(), rows))
        else:
            datasets[name] = Borrowed(dataset)
    kind: type[DataCatalog] = type(catalog)  # type: ignore[assignment]  # saves as the run's does
    return kind(datasets)


def elsewhere(
    name: str, dataset: AbstractDataset[Any, Any], folder: Path, version: str
) -> AbstractDataset[Any, Any]:
    """Return a dataset that saves as another one does, but in ``folder``.

    One that lies in no file is kept in memory.
    """
    wanted: Mapping[str, Any] = dataset._init_config()  # of all kinds; nothing public says it
    path = wanted.get("filepath")
    if not isinstance(path, str | Path):
        return MemoryDataset(copy_mode=getattr(dataset, "_copy_mode", None))
    place = folder / Path(str(path).rpartition("://")[2]).name
    config = {**wanted, "filepath": place.as_posix()}
    return AbstractDataset.from_config(name, config, save_version=version)


def of_rows(data: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array or a table; None stays None."""
    if data is None:
        return None
    return np.asarray(data[rows]) if isinstance(data, np.ndarray) else data.iloc[rows]


def _parameter(name: str, catalog: CatalogProtocol[Any, Any], rows: np.ndarray) -> Any:
    dataset = catalog.get(name)
    assert dataset is not None
    if name == "params:compute.workers":
        return 1  # to start processes takes longer than what little there is to do
    return for_rehearsal(typed(name, dataset.load()), rows)


def _in_memory(data: Any) -> "MemoryDataset":
    return MemoryDataset(data, copy_mode="assign")

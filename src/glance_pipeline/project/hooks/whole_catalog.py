"""The catalog of a run: whatever it saves is whole or not there, of whatever kind."""

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from threading import local
from typing import Any

from kedro.io import AbstractDataset, DataCatalog, DatasetError, Version

from glance_pipeline.support.errors import UserError
from glance_pipeline.support.space import in_words
from glance_pipeline.support.whole import aside

_thread = local()
"""What each thread is saving: catalog, name, and the dataset that writes beside its place."""


class CannotSaveError(DatasetError, UserError):
    """A dataset that cannot be written: its message names the file and says why, in one line."""


class WholeCatalog(DataCatalog):
    """A catalog that lets every dataset of a local file write beside the file's place.

    Once all is written and on the disk, one rename puts it there: neither a full disk nor the
    process's end leaves half a file, and a version is there when it is complete. Datasets of
    kedro-datasets, which write in place, need to know nothing of it; nor do a user's own.
    """

    def __getitem__(self, ds_name: str) -> AbstractDataset[Any, Any]:
        """Return a dataset; while it is being saved, one that writes beside its place."""
        saving: tuple[Any, str, AbstractDataset[Any, Any]] | None = getattr(_thread, "saving", None)
        if saving is not None and saving[0] is self and saving[1] == ds_name:
            return saving[2]
        return super().__getitem__(ds_name)

    def save(self, ds_name: str, data: Any) -> None:
        """Save a dataset, all or nothing.

        Raises:
            CannotSaveError: if the disk is full, or is not there, or may not be written.
            DatasetError: as any dataset raises it.
        """
        dataset = super().__getitem__(ds_name)
        path = _save_path(dataset)
        if path is None:
            super().save(ds_name, data)
            return
        try:
            with aside(path) as place, self._writing_at(ds_name, dataset, place):
                super().save(ds_name, data)
        except Exception as error:
            said = in_words(error, path)
            if said is None:
                raise
            raise CannotSaveError(f"{ds_name}: {said}") from error
        _now_holds(dataset, path)

    @contextlib.contextmanager
    def _writing_at(
        self, name: str, dataset: AbstractDataset[Any, Any], place: Path
    ) -> Iterator[None]:
        another = copy.copy(dataset)
        another._filepath = type(dataset._filepath)(place.as_posix())  # type: ignore[attr-defined]
        if hasattr(another, "_version"):
            another._version = None
        before, _thread.saving = getattr(_thread, "saving", None), (self, name, another)
        try:
            yield
        finally:
            _thread.saving = before


def _save_path(dataset: AbstractDataset[Any, Any]) -> Path | None:
    """Return where a dataset will be saved; None if that is no local file or is its own affair.

    A dataset that is told not to overwrite adds to a folder that is there.
    """
    if getattr(dataset, "_protocol", "file") not in ("file", "local", ""):
        return None
    filepath = getattr(dataset, "_filepath", None)
    if filepath is None:
        return None
    version = getattr(dataset, "_version", None)
    if version is None:
        adds = getattr(dataset, "_overwrite", True) is False and Path(filepath).is_dir()
        return None if adds else Path(filepath)
    dataset._clear_version_cache()  # type: ignore[attr-defined]
    return Path(dataset._get_save_path())  # type: ignore[attr-defined]


def _now_holds(dataset: AbstractDataset[Any, Any], path: Path) -> None:
    """Let a run load what it saved, and not what another one saved since."""
    version = getattr(dataset, "_version", None)
    if isinstance(version, Version) and version.load is None:
        dataset._cached_load_version = path.parent.name  # type: ignore[attr-defined]
    invalidate = getattr(dataset, "_invalidate_cache", None)
    if invalidate is not None:
        invalidate()

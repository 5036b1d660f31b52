"""Where a dataset lies, and which data it is."""

import hashlib
from pathlib import Path

from kedro.io import AbstractDataset


def saved_path(dataset: AbstractDataset) -> Path:
    """Return where a dataset that was just saved, or loaded, lies."""
    load_path = getattr(dataset, "_get_load_path", None)  # of all versioned kinds; none is public
    return Path(load_path() if load_path else dataset._filepath)  # type: ignore[attr-defined]


def data_version(dataset: AbstractDataset) -> str | None:
    """Return a dataset's version, the hash of its file where unversioned, None without a file."""
    resolve = getattr(dataset, "resolve_load_version", None)
    if resolve is not None and (version := resolve()) is not None:
        return str(version)
    path = saved_path(dataset) if hasattr(dataset, "_filepath") else None
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

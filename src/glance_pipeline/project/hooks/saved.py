"""Where a dataset lies, and which data it is."""

import hashlib
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.io.core import VersionNotFoundError


def saved_path(dataset: AbstractDataset[Any, Any]) -> Path:
    """Return where a dataset that was just saved, or loaded, lies."""
    load_path = getattr(dataset, "_get_load_path", None)  # of all versioned kinds; none is public
    return Path(load_path() if load_path else dataset._filepath)  # type: ignore[attr-defined]


def data_version(dataset: AbstractDataset[Any, Any]) -> str | None:
    """Return a dataset's version, the hash of its file where unversioned, None without a file."""
    resolve = getattr(dataset, "resolve_load_version", None)
    try:
        version = resolve() if resolve is not None else None
    except VersionNotFoundError:  # an optional dataset that is absent
        return None
    if version is not None:
        return str(version)
    path = saved_path(dataset) if hasattr(dataset, "_filepath") else None
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

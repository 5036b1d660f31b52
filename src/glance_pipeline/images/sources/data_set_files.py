"""Which files of a folder are a Hugging Face data set's, and which are caches and the like."""

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from glance_pipeline.support.errors import UserError

_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation",
           "dev": "validation", "test": "test"}  # fmt: skip
_MOST_STATE = 10_000_000  # bytes of a state.json


def find_data_files(folder: Path, follow: bool = False) -> list[Path]:
    """Return a data set's files, sorted; empty if there is none.

    Of a folder that ``save_to_disk`` wrote those are the files that its ``state.json`` lists: what
    else lies there are caches of the same images. Otherwise they are all parquet files but those
    that are hidden or begin with ``_``, as an index of other files does.

    Args:
        folder: to be looked through.
        follow: whether links that lead out of the folder are followed.

    Raises:
        UserError: if a ``state.json`` is broken or names a file that is not there, where both
            forms lie in one folder, or where a link leads out of it and is not to be followed.
    """
    states = [path for path in _plain(folder, "state.json") if any(path.parent.glob("*.arrow"))]
    listed = [path for state in states for path in _listed(state)]
    parquet = _plain(folder, "*.parquet")
    outside = [p for p in (*listed, *parquet) if not p.resolve().is_relative_to(folder.resolve())]
    if outside and not follow:
        raise UserError(
            f"ingest.source: folder {folder}: links that lead out of it: {len(outside)}, the first "
            f"{outside[0].relative_to(folder)} → {outside[0].resolve()}; ingest.links: anywhere "
            "reads what they lead to"
        )
    if listed and parquet:
        raise UserError(
            f"ingest.source: {folder} holds two data sets, {listed[0].relative_to(folder)} and "
            f"{parquet[0].relative_to(folder)}; name the folder of one of them"
        )
    return listed or parquet


def _plain(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a name with nothing hidden or set aside on their way."""
    return sorted(
        path
        for path in folder.rglob(pattern)
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def _listed(state: Path) -> list[Path]:
    """Return the arrow files that a ``state.json`` lists."""
    said = _read_state(state)
    if said.get("_indices_data_files"):
        raise UserError(f"data set {state}: it holds a selection of rows; save it again, flattened")
    entries = said.get("_data_files")
    if entries is None:  # of an old version
        return sorted(p for p in state.parent.glob("*.arrow") if not p.name.startswith("cache-"))
    names = [one.get("filename") if isinstance(one, dict) else one for one in entries]
    for name in names:
        if not isinstance(name, str) or PurePosixPath(name).name != name or "\0" in name:
            raise UserError(f"data set {state}: it names {name!r}, wanted files that lie beside it")
        if not (state.parent / name).is_file():
            raise UserError(f"data set {state}: it names {name}, which is not there")
    return [state.parent / str(name) for name in names]


def _read_state(state: Path) -> dict[str, Any]:
    with state.open("rb") as file:
        text = file.read(_MOST_STATE)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"data set {state}: it is no JSON ({error})") from error
    if not isinstance(said, dict) or not isinstance(said.get("_data_files", []), list | None):
        raise UserError(f"data set {state}: it is no description of a data set")
    return said


def split_named_by(path: Path, folder: Path) -> str:
    """Return the split that the names of a file and its folders say, innermost first."""
    for part in reversed(path.relative_to(folder).parts):
        split = _SPLITS.get(re.split(r"[-.]", part)[0])
        if split:
            return split
    return ""

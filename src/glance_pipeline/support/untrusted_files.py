"""Files that strangers made: what may be opened, and how much of it."""

import json
from pathlib import Path
from typing import Any

_MOST_TEXT = 2**26
"""Most bytes of a text or JSON file: no list of classes and no configuration is longer."""


def regular_file(path: Path) -> Path:
    """Return ``path`` where it is a file of bytes.

    Raises:
        ValueError: if there is none, or it is a device or a pipe, which may never end.
    """
    if path.is_file():
        return path
    if path.exists():
        raise ValueError("it is no regular file; a file was wanted, not a device, pipe or folder")
    raise ValueError("no such file")


def within(folder: Path, name: str) -> Path:
    """Return the file called ``name`` in a model's own folder.

    Args:
        folder: that the model's file or files lie in.
        name: as the model says it.

    Raises:
        ValueError: if the name leads out of the folder, by itself or through a link. A link into
            the ``blobs`` of the same entry of a hub's cache is none that leads out.
    """
    path = folder / name
    home = folder.resolve()
    allowed = [home]
    if home.parent.name == "snapshots":
        allowed.append(home.parent.parent / "blobs")
    found = path.resolve()
    if Path(name).is_absolute() or not any(found.is_relative_to(place) for place in allowed):
        raise ValueError(
            f"it names the file {name!r}, which lies outside the model's own folder; files beside "
            "the model were wanted: copy it there"
        )
    return regular_file(path)


def read_text(path: Path, most: int = _MOST_TEXT) -> str:
    """Return the text of a regular file of at most ``most`` bytes, UTF-8.

    Raises:
        ValueError: if it is no regular file, is longer, or is no UTF-8.
        OSError: if it cannot be opened.
    """
    with regular_file(path).open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is longer than the {most:,} bytes that such a file may have")
    return content.decode("utf-8-sig")


def parse_json(text: str, what: str) -> dict[str, Any]:
    """Return the object that a text holds as JSON.

    Raises:
        ValueError: if it is no JSON, is nested too deeply, or is no object.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is no complete JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{what} holds {type(content).__name__}; an object was wanted")
    return content

"""Paths as a user gives them, and as a configuration holds them."""

import os
from dataclasses import dataclass
from pathlib import Path

from glance_pipeline.support.errors import UserError


@dataclass(frozen=True)
class Place:
    """A file or folder.

    Attributes:
        path: where it is, absolute.
        written: as the configuration says it: from the project's root where it lies within it,
            otherwise as the user gave it.
    """

    path: Path
    written: str


def there(root: Path, text: str) -> Place:
    """Return the place of a file or folder that exists; see ``place_of``.

    Raises:
        UserError: if there is none.
    """
    place = place_of(text.strip(), root)
    if not place.path.exists():
        raise UserError(f"there is no file or folder {place.path}")
    return place


def place_of(text: str, root: Path) -> Place:
    """Return the place that a user named from the working directory.

    A relative path that leads out of the project is kept where the working directory is the
    project's root, from where it will be read; elsewhere it is made absolute. Links stay.

    Args:
        text: as given; ``~`` is the user's home.
        root: root of the project, absolute.
    """
    given = Path(text).expanduser()
    path = Path(os.path.abspath(given))  # noqa: PTH100, resolve() would follow links
    if path.is_relative_to(root):
        return Place(path, path.relative_to(root).as_posix())
    from_root = Path.cwd() == root and not given.is_absolute()
    return Place(path, (given if from_root else path).as_posix())

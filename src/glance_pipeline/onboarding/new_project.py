"""``glance new``: a project folder laid out, whole or not at all."""

import shutil
from pathlib import Path

from glance_pipeline.support.whole import whole_folder
from glance_pipeline.template import template_files

_SHOWN = 3


def new_project(folder: Path) -> Path:
    """Lay out a new project: configuration, empty data folders, notebooks.

    Args:
        folder: folder of the project, which is made, with those above it. It may exist where it is
            empty.

    Returns:
        The folder.

    Raises:
        FileExistsError: if something is there already. Nothing is written then.
        ValueError: if it is the working directory.
        OSError: if the folder cannot be made. Nothing of it stays then.
    """
    _refuse_what_holds_anything(folder)
    files = template_files()
    with whole_folder(folder, replace=False) as unfinished:
        for name, source in files.items():
            place = unfinished / name
            place.parent.mkdir(parents=True, exist_ok=True)
            # the content alone: installed files may be read-only, the user's are not
            shutil.copyfile(source, place)
    return folder


def _refuse_what_holds_anything(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file. Nothing was written; name a new folder")
    held = sorted(path.name for path in folder.iterdir())
    if held:
        more = f" and {len(held) - _SHOWN} more" if len(held) > _SHOWN else ""
        raise FileExistsError(
            f"{folder} is not empty: it holds {', '.join(held[:_SHOWN])}{more}. "
            "Nothing was written; name a new folder"
        )
    if folder.resolve() == Path.cwd():
        raise ValueError(
            f"{folder} is the working directory, which is not replaced under your feet. "
            "Name a folder in it, or go to the folder above it"
        )

"""A Kedro project that is only read: its catalog and parameters, without a session."""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from glance_pipeline.config.reading.conf_files import Configuration, paths_of
from glance_pipeline.project.prerequisites import explain_missing
from glance_pipeline.support.errors import UserError

_PATHS = ("filename", "filepath", "path")
"""Keys of a catalog entry that Kedro takes relative to the project."""


@dataclass(frozen=True)
class OpenedProject:
    """What is saved in a project, and how it is configured.

    Kedro's own session configures logging, settings and plugins for the whole process, one project
    at a time; this reads the same files and leaves all that alone.

    Attributes:
        root: root of the project.
        catalog: catalog of its datasets; the newest version of each is loaded.
        parameters: as the files under ``conf/`` have them.
    """

    root: Path
    catalog: DataCatalog
    parameters: dict[str, Any]

    @classmethod
    def open(
        cls, folder: str | Path, env: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> "OpenedProject":
        """Open the project that ``folder`` is, or lies in.

        Args:
            folder: the root of a project, or a folder in it.
            env: configuration environment; ``local`` if None.
            parameters: values that replace those of the files.

        Raises:
            UserError: if there is no project, or no such environment.
        """
        root = find_kedro_project(Path(folder).expanduser().resolve())
        if root is None:
            raise UserError(
                f"{folder} is no Kedro project and lies in none: "
                "there is no pyproject.toml with [tool.kedro]"
            )
        with paths_of(root):
            found = Configuration.read(root / "conf", env, parameters)
        make_absolute(found.catalog, root)
        catalog = DataCatalog.from_config(found.catalog, found.credentials)
        return cls(root, catalog, found.parameters)

    def load(self, *names: str, pipelines: Mapping[str, Pipeline]) -> dict[str, Any]:
        """Load the newest version of datasets.

        Args:
            names: names of datasets in the catalog.
            pipelines: that may make one which is not there, by name.

        Raises:
            UserError: if one is not there; it names the file and the pipelines that make it.
        """
        missing = explain_missing(names, self.catalog, pipelines, "The explainer")
        if missing is not None:
            raise UserError(f"{missing}\nin {self.root}")
        with paths_of(self.root), _importable(source_folder(self.root)):
            # not catalog.load, which logs each
            return {name: self.catalog[name].load() for name in names}


def make_absolute(entry: dict[str, Any], root: Path) -> None:
    """Make relative paths of catalog entries paths under ``root``, in place."""
    for key, value in entry.items():
        if isinstance(value, dict):
            make_absolute(value, root)
        elif key in _PATHS and isinstance(value, str) and "://" not in value:
            entry[key] = (root / value).as_posix()


def source_folder(root: Path) -> Path:
    """Return the folder in which Kedro finds a project's own modules, ``src`` unless it says other.

    A project that ``glance new`` made says ``source_dir = "."`` in its ``pyproject.toml``.
    """
    with (root / "pyproject.toml").open("rb") as file:
        kedro = tomllib.load(file)["tool"]["kedro"]
    return (root / Path(kedro.get("source_dir", "src")).expanduser()).resolve()


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a classifier's own module be found where Kedro finds it."""
    before = list(sys.path)
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path[:] = before

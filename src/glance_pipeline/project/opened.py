"""A Kedro project that is only read: its catalog and parameters, without a session."""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from glance_pipeline.config.conf_files import CONFIG_LOADER_ARGS, paths_of
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
            catalog, credentials, found = read_configuration(root / "conf", env, parameters or {})
        make_absolute(catalog, root)
        return cls(root, DataCatalog.from_config(catalog, credentials), found)

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
        with paths_of(self.root), _importable(self.root / "src"):
            # not catalog.load, which logs each
            return {name: self.catalog[name].load() for name in names}


def read_configuration(
    folder: Path, env: str | None, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Read the files under ``conf/``.

    Args:
        folder: the ``conf/``.
        env: configuration environment; ``local`` if None.
        parameters: values that replace those of the files.

    Returns:
        The catalog, the credentials (empty if there are none) and the parameters.

    Raises:
        UserError: if there is no such environment, or a file cannot be read.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"register_new_resolver\(\) is deprecated")
        loader = OmegaConfigLoader(str(folder), env, dict(parameters), **CONFIG_LOADER_ARGS)
        try:
            catalog, found = loader["catalog"], loader["parameters"]
        except MissingConfigException as error:
            raise UserError(
                f"the configuration of {folder.parent} cannot be read: {error}"
            ) from error
        try:
            credentials = loader["credentials"]
        except MissingConfigException:
            credentials = {}
    return catalog, credentials, found


def make_absolute(entry: dict[str, Any], root: Path) -> None:
    """Make relative paths of catalog entries paths under ``root``, in place."""
    for key, value in entry.items():
        if isinstance(value, dict):
            make_absolute(value, root)
        elif key in _PATHS and isinstance(value, str) and "://" not in value:
            entry[key] = (root / value).as_posix()


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a classifier's own module be found where Kedro finds it."""
    before = list(sys.path)
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path[:] = before

"""How the files under ``conf/`` are read, by Kedro's settings and by everything else."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.utils import find_kedro_project
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc

from glance_pipeline.support.errors import UserError

_opened: ContextVar[Path | None] = ContextVar("opened project", default=None)


def project_path(relative: str = "") -> str:
    """Return the absolute path of ``relative`` under the project's root.

    That is the project that is being opened, else that of the working directory, else that which
    this file lies in. A package that is installed lies in none, and works in the working directory.
    """
    here = Path(__file__).parents[4]
    own = here if (here / "pyproject.toml").is_file() else Path.cwd()
    root = _opened.get() or find_kedro_project(Path.cwd()) or own
    return (Path(root) / relative).resolve().as_posix()


@contextmanager
def paths_of(project: Path) -> Iterator[None]:
    """Let ``project_path`` speak of ``project`` meanwhile, whatever the working directory."""
    token = _opened.set(project)
    try:
        yield
    finally:
        _opened.reset(token)


CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"project_path": project_path, "oc.env": oc.env},
    "config_patterns": {"mlflow": ["mlflow*"]},
    # an environment's parameters say only what differs from base; a catalog entry is replaced whole
    "merge_strategy": {"parameters": "soft"},
}


@dataclass(frozen=True)
class Configuration:
    """What the files under ``conf/`` say.

    Attributes:
        catalog: its entries by the name of the dataset.
        credentials: credentials of the entries, by name; empty if there are none.
        parameters: nested parameters.
    """

    catalog: dict[str, Any]
    credentials: dict[str, Any]
    parameters: dict[str, Any]

    @classmethod
    def read(
        cls, folder: Path, env: str | None, parameters: Mapping[str, Any] | None = None
    ) -> "Configuration":
        """Read the files as ``kedro run`` does.

        Args:
            folder: the ``conf/``.
            env: name of the environment; ``local`` if None.
            parameters: values that replace those of the files.

        Raises:
            UserError: if there is no such environment, or a file cannot be read.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"register_new_resolver\(\) is deprecated")
            loader = OmegaConfigLoader(
                str(folder), env, dict(parameters or {}), **CONFIG_LOADER_ARGS
            )
            try:
                catalog, found = loader["catalog"], loader["parameters"]
            except (MissingConfigException, OmegaConfBaseException, ValueError) as error:
                place = folder / (env or str(CONFIG_LOADER_ARGS["default_run_env"]))
                raise UserError(f"the configuration {place} cannot be read: {error}") from error
            try:
                credentials = loader["credentials"]
            except MissingConfigException:
                credentials = {}
        return cls(catalog, credentials, found)

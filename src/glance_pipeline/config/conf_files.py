"""How the files under ``conf/`` are read; Kedro's settings and ``Explainer`` share it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from kedro.utils import find_kedro_project
from omegaconf.resolvers import oc

_opened: ContextVar[Path | None] = ContextVar("opened project", default=None)


def project_path(relative: str = "") -> str:
    """Return the absolute path of ``relative`` under the project's root.

    That is the project that is being opened, else that of the working directory, else that which
    this file lies in. A package that is installed lies in none, and works in the working directory.
    """
    here = Path(__file__).parents[3]
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

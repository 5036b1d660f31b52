"""Project settings that Kedro reads: configuration loader, resolvers, hooks."""

import warnings
from pathlib import Path

from kedro.config import OmegaConfigLoader
from kedro.utils import find_kedro_project
from omegaconf.resolvers import oc

from glance_pipeline.hooks import ChecksHooks, ConsoleHooks, TrackingHooks

# Kedro registers its resolvers by a name that OmegaConf is about to drop: not the user's business
warnings.filterwarnings("ignore", message=r"register_new_resolver\(\) is deprecated")


def project_path(relative: str = "") -> str:
    """Return the absolute path of ``relative`` under the project's root."""
    root = find_kedro_project(Path.cwd()) or Path(__file__).parents[2]
    return (Path(root) / relative).resolve().as_posix()


CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"project_path": project_path, "oc.env": oc.env},
    "config_patterns": {"mlflow": ["mlflow*"]},
    # an environment's parameters say only what differs from base; a catalog entry is replaced whole
    "merge_strategy": {"parameters": "soft"},
}

HOOKS = (ChecksHooks(), TrackingHooks(), ConsoleHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)  # where it happens to be installed: one run, not two

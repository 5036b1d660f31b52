"""Project settings that Kedro reads: configuration loader, resolvers, hooks."""

import warnings

from kedro.config import OmegaConfigLoader

from glance_pipeline.config.reading import conf_files as configuration
from glance_pipeline.project.hooks import (
    ChecksHooks,
    ConsoleHooks,
    LineageHooks,
    RehearsalHooks,
    TrackingHooks,
)
from glance_pipeline.project.hooks.parameters import ContextWithPlainErrors
from glance_pipeline.project.hooks.whole_catalog import WholeCatalog

# Kedro registers its resolvers by a name that OmegaConf is about to drop: not the user's business
warnings.filterwarnings("ignore", message=r"register_new_resolver\(\) is deprecated")

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = configuration.CONFIG_LOADER_ARGS

CONTEXT_CLASS = ContextWithPlainErrors

DATA_CATALOG_CLASS = WholeCatalog

HOOKS = (ChecksHooks(), TrackingHooks(), ConsoleHooks(), LineageHooks(), RehearsalHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)  # where it happens to be installed: one run, not two

"""What the console says: each step as it starts, and at the end where to look."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node

from glance_pipeline.project.hooks.queries import queries_of
from glance_pipeline.project.hooks.saved import saved_path
from glance_pipeline.support.names import lines_made_visible

logger = logging.getLogger(__name__)


class Visible(logging.Filter):
    """Writes out what a terminal would obey: a stranger's file may name a class so."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and let it pass."""
        record.msg, record.args = lines_made_visible(record.getMessage()), None
        return True


class ConsoleHooks:
    """Tells the user what is going on, in few words."""

    @hook_impl
    def after_context_created(self) -> None:
        """Have the console show what is logged, and obey nothing of it."""
        for handler in logging.getLogger().handlers:
            if not any(isinstance(one, Visible) for one in handler.filters):
                handler.addFilter(Visible())

    @hook_impl
    def before_pipeline_run(self, catalog: CatalogProtocol[Any, Any]) -> None:
        """Forget an earlier run's report."""
        self._catalog = catalog
        self._report: Path | None = None

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Name the step that starts."""
        stage = f"{min(node.tags)}: " if node.tags else ""
        logger.info("%s%s", stage, node.short_name.replace("_", " "))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remember where the report was written."""
        if dataset_name == "report":
            self._report = saved_path(self._catalog["report"])

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Name the report and the two commands that show more; count a black box's answers."""
        if (queries := queries_of(self._catalog)) is not None:
            logger.info("The classifier was %s", queries)
        logger.info("Runs, curves and figures: mlflow ui · the pipelines: kedro viz run")
        if self._report is not None:
            logger.info("Report: %s", relative_to_here(self._report))


def relative_to_here(path: Path) -> Path:
    """Return ``path`` relative to the working directory where it lies under it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

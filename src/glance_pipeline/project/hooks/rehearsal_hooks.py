"""Before the first training stage of a run: the rehearsal."""

from threading import Lock
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

STAGES = {
    "distill_cost": "distill",
    "disentangle_cost": "disentangle",
    "align_cost": "align",
}
"""The training stage of each output that it alone makes."""


class RehearsalHooks:
    """Has a run whose training is long rehearsed before it begins."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._due = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the parameters come from."""
        self._context = context

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Note which stages the run trains."""
        self._stages = tuple(STAGES[name] for name in STAGES if name in pipeline.all_outputs())
        self._due = self._context.config_loader["parameters"].get("rehearse", True)

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol[Any, Any]) -> None:
        """Rehearse where this node is the first that trains a stage."""
        stages = [STAGES[name] for name in node.outputs if name in STAGES]
        with self._lock:
            if not stages or not self._due:
                return
            self._due = False
            from glance_pipeline.project.rehearsal import Rehearsal  # imports torch

            Rehearsal(stages[0], self._stages, catalog, pipelines).run()

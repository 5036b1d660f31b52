"""Beside each version that is saved: what it was made from."""

import logging
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from glance_pipeline.project.lineage import ClassifierThen, MadeFrom, used, version_folder
from glance_pipeline.project.prerequisites import version_to_load
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)


class LineageHooks:
    """Writes down what each version was made from."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the parameters come from."""
        self._context = context

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Forget an earlier run's."""
        self._catalog = catalog
        self._asked: dict[str, ClassifierThen] = {}
        nodes = (node for one in pipelines.values() for node in one.nodes)
        self._read = {name for node in nodes for name in node.inputs}

    @hook_impl
    def after_node_run(self, node: Node, inputs: dict[str, Any]) -> None:
        """Note what the classifier is that a node was given."""
        if "classifier" in inputs:
            try:
                self._asked[node.name] = ClassifierThen.of(inputs["classifier"])
            except UserError as error:  # a black box may be asked no more
                logger.warning("what the classifier is is not written down: %s", error)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Write it beside the version, where others will load it."""
        version = version_to_load(dataset_name, self._catalog)
        if version is None or dataset_name not in self._read:
            return
        folder = version_folder(dataset_name, self._catalog, version)
        if folder is None or not folder.is_dir():
            return
        blocks = [
            name.removeprefix("params:") for name in node.inputs if name.startswith("params:")
        ]
        versions = {name: version_to_load(name, self._catalog) for name in node.inputs}
        try:
            MadeFrom(
                node=node.short_name,
                pipeline=min(node.tags, default=node.short_name),
                inputs={name: found for name, found in versions.items() if found},
                parameters=used(self._context.config_loader["parameters"], blocks),
                classifier=self._asked.get(node.name),
            ).write(folder)
        except OSError as error:  # what it says may be missed, the dataset not
            logger.warning("what %s was made from is not written down: %s", dataset_name, error)

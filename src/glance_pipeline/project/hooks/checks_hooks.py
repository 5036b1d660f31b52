"""Before any work: what would make the run fail is said at once."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from pydantic import ValidationError

from glance_pipeline.config.shared import ComputeParameters, SharedParameters
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.contents import (
    check_classifier,
    check_discovered,
    check_explained,
    check_ingest,
    check_processes,
)
from glance_pipeline.project.hooks.room import check_room
from glance_pipeline.project.lineage import judge_lineage
from glance_pipeline.project.prerequisites import explain_missing, explain_stale, explain_unknown
from glance_pipeline.support.errors import UserError, fields_in_words
from glance_pipeline.support.space import of_the_disk

logger = logging.getLogger(__name__)


class ChecksHooks:
    """Before any work: every parameter is known, threads are set, what is needed is there."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the parameters come from."""
        self._context = context

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Raise if the run could not succeed."""
        parameters = self._context.config_loader["parameters"]
        unknown = explain_unknown(parameters, pipelines)
        if unknown is not None:
            raise CannotRunError(unknown)
        shared = check_shared(parameters)
        refuse_to_overwrite(pipeline, catalog)
        check_room(pipeline, catalog, self._context)
        missing = explain_missing(pipeline.inputs(), catalog, pipelines)
        if missing is not None:
            raise CannotRunError(missing)
        classifier = check_classifier(pipeline, catalog)
        check_explained(pipeline, catalog, classifier)
        check_discovered(pipeline, catalog, classifier)
        check_ingest(pipeline, catalog, classifier)
        judged = judge_lineage(
            pipeline.inputs(), pipeline.all_outputs(), catalog, classifier, parameters
        )
        if judged.refusals:
            raise CannotRunError("\n".join(judged.refusals))
        stale = explain_stale(pipeline, catalog, pipelines["__default__"], judged.known)
        for doubt in [*judged.doubts, *stale]:
            logger.warning(doubt)
        processes = use_machine(shared.compute)
        check_processes(pipeline, classifier, processes)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Say what is the user's to mend in its own words alone, wherever it was found out."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, UserError):
                raise CannotRunError(str(cause)) from error
            cause = cause.__cause__
        said = of_the_disk(error)
        if said is not None:
            raise CannotRunError(said) from error


def use_machine(wanted: ComputeParameters) -> int:
    """Set threads, precision, device and processes; raise where the machine has no such thing.

    Returns:
        In how many processes a training stage runs.
    """
    from glance_pipeline.support.compute import (
        choose_device,
        choose_precision,
        choose_processes,
        keep_freed_memory,
        set_threads,
    )

    keep_freed_memory()
    set_threads(wanted.threads)
    choose_precision(wanted.precision)
    try:
        choose_device(wanted.device)
        return choose_processes(wanted.processes)
    except ValueError as error:
        raise CannotRunError(str(error)) from error


def refuse_to_overwrite(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    """Raise if the run would write over a file, as an entry of the user's own may name one."""
    for name in sorted(pipeline.all_outputs()):
        dataset = catalog.get(name) if name in catalog else None
        path = getattr(dataset, "_filepath", None)
        if path is None or getattr(dataset, "_version", None) is not None:
            continue
        if Path(path).exists():
            raise CannotRunError(
                f"this run would write {name!r} over {path}: run a pipeline that only reads it "
                "(kedro registry list), or say `versioned: true` in its catalog entry"
            )


def check_shared(parameters: dict[str, Any]) -> SharedParameters:
    """Return the parameters that belong to no single pipeline; raise naming what is wrong."""
    try:
        return SharedParameters.model_validate(parameters)
    except ValidationError as error:
        raise CannotRunError(f"parameter {fields_in_words(error)}") from error

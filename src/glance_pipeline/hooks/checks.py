"""Before any work: what would make the run fail is said at once."""

import logging
from pathlib import Path
from typing import Any

from click import ClickException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline
from pydantic import ValidationError

from glance_pipeline.config.compute import ComputeParameters, SharedParameters
from glance_pipeline.errors import UserError, fields_in_words
from glance_pipeline.prerequisites import explain_missing, explain_stale, explain_unknown

logger = logging.getLogger(__name__)


class CannotRunError(ClickException):
    """A run that cannot succeed as it was asked for; the command line says why, and only that."""


class ChecksHooks:
    """Before any work: every parameter is known, threads are set, what is needed is there."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the parameters come from."""
        self._context = context

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Raise where the run could not succeed."""
        parameters = self._context.config_loader["parameters"]
        unknown = explain_unknown(parameters, pipelines)
        if unknown is not None:
            raise CannotRunError(unknown)
        shared = check_shared(parameters)
        refuse_to_overwrite(pipeline, catalog)
        missing = explain_missing(pipeline.inputs(), catalog, pipelines)
        if missing is not None:
            raise CannotRunError(missing)
        check_classifier(pipeline, catalog)
        check_explained(pipeline, catalog)
        check_discovered(pipeline, catalog)
        check_ingest(pipeline, catalog)
        for stale in explain_stale(pipeline, catalog, pipelines["__default__"]):
            logger.warning(stale)
        use_machine(shared.compute)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Say what is the user's to mend in its own words alone, wherever it was found out."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, UserError):
                raise CannotRunError(str(cause)) from error
            cause = cause.__cause__


def check_classifier(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise where a classifier that is there cannot be used, before anything is made for it."""
    if "classifier" not in pipeline.inputs():
        return
    try:
        catalog.load("classifier")
    except DatasetError as error:
        said = error.__cause__ if isinstance(error.__cause__, UserError) else error
        raise CannotRunError(str(said)) from error


def use_machine(wanted: ComputeParameters) -> None:
    """Set threads, device and processes; raise where the machine has no such thing."""
    from glance_pipeline.compute import choose_device, choose_processes, set_threads

    set_threads(wanted.threads)
    try:
        choose_device(wanted.device)
        choose_processes(wanted.processes)
    except ValueError as error:
        raise CannotRunError(str(error)) from error


def check_explained(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise where the images or the class that are to be explained are known not to be there."""
    if "chosen_images" not in pipeline.all_outputs():
        return
    from glance_pipeline.explanations.counterfactual import check_target  # imports torch
    from glance_pipeline.explanations.selection import check_named

    parameters, inputs = catalog.load("params:explain"), pipeline.inputs()
    prepared = len(catalog.load("images")) if "images" in inputs else None
    try:
        check_named(parameters.images or (), prepared)
        if "classifier" in inputs:
            check_target(parameters.target, catalog.load("classifier").class_names)
    except UserError as error:
        raise CannotRunError(str(error)) from error


def check_discovered(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise where the graph's predictions are known to be no classes of the classifier."""
    if "concepts" not in pipeline.all_outputs() or "classifier" not in pipeline.inputs():
        return
    outcomes = catalog.load("params:discover").outcomes
    if outcomes is None:
        return
    from glance_pipeline.causal.outcome_choice import check_outcomes  # imports torch

    try:
        check_outcomes(outcomes, catalog.load("classifier").class_names)
    except UserError as error:
        raise CannotRunError(str(error)) from error


def refuse_to_overwrite(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise where the run would write over a file, as an entry of the user's own may name one."""
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


def check_ingest(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise where files of the user's own are absent, or will not fit classifier or networks."""
    inputs = pipeline.inputs()
    if "params:ingest" not in inputs:
        return
    from glance_pipeline.ingest.agreement import absent_files, disagreements

    parameters = catalog.load("params:ingest")
    absent = absent_files(parameters)
    if absent:
        raise CannotRunError("; ".join(absent))
    shape, widths = None, {}
    if "classifier" in inputs:
        shape = catalog.load("classifier").specification.image_shape
    if "params:distill" in inputs:
        widths["distill.surrogate.widths"] = catalog.load("params:distill").surrogate.widths
        widths["align.reader.widths"] = catalog.load("params:align").reader.widths
    said = disagreements(parameters, shape, widths)
    if said:
        raise CannotRunError("; ".join(said))


def check_shared(parameters: dict[str, Any]) -> SharedParameters:
    """Return the parameters that belong to no single pipeline; raise naming what is wrong."""
    try:
        return SharedParameters.model_validate(parameters)
    except ValidationError as error:
        raise CannotRunError(f"parameter {fields_in_words(error)}") from error

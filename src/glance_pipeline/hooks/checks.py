"""Before any work: what would make the run fail is said at once."""

from difflib import get_close_matches
from typing import Any

from click import ClickException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from pydantic import ValidationError

from glance_pipeline.config.compute import SharedParameters
from glance_pipeline.prerequisites import explain_missing


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
        check_names(parameters)
        shared = check_shared(parameters)
        missing = explain_missing(pipeline.inputs(), catalog, pipelines)
        if missing is not None:
            raise CannotRunError(missing)
        from glance_pipeline.compute import set_threads

        set_threads(shared.compute.threads)


def check_names(parameters: dict[str, Any]) -> None:
    """Raise where a top-level parameter belongs to no pipeline.

    Below the top level the typed parameters of each pipeline forbid what they do not know.
    """
    known = {"compute"} | {
        name.removeprefix("params:").partition(".")[0]
        for pipeline in pipelines.values()
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    for name in parameters:
        if name not in known:
            near = get_close_matches(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {sorted(known)}"
            raise CannotRunError(f"parameter {name!r} is unknown: {hint}")


def check_shared(parameters: dict[str, Any]) -> SharedParameters:
    """Return the parameters that belong to no single pipeline; raise naming what is wrong."""
    try:
        return SharedParameters.model_validate(parameters)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise CannotRunError("parameter " + "; ".join(wrong)) from error

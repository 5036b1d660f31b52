"""What a run's inputs hold, looked at before any work: the classifier, the user's own files."""

from typing import TYPE_CHECKING, Any

from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.prerequisites import version_to_load
from glance_pipeline.support.errors import UserError

if TYPE_CHECKING:
    from glance_pipeline.classifiers.classifier import Classifier  # imports torch

_TRAINED = frozenset(("surrogate_distilled", "surrogate_disentangled", "surrogate_aligned"))
"""What the training stages make."""


def check_classifier(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> "Classifier | None":
    """Return the classifier where the run is given one; raise where it cannot be used.

    To load it is to read and to try it: the other checks take this one.
    """
    if "classifier" not in pipeline.inputs():
        return None
    try:
        classifier: Classifier = catalog.load("classifier")
    except DatasetError as error:
        said = error.__cause__ if isinstance(error.__cause__, UserError) else error
        raise CannotRunError(str(said)) from error
    return classifier


def check_processes(pipeline: Pipeline, classifier: "Classifier | None", processes: int) -> None:
    """Raise if several processes are to train by a classifier that only one can ask."""
    trains = not _TRAINED.isdisjoint(pipeline.all_outputs())
    if classifier is not None and not classifier.differentiable and trains and processes > 1:
        raise CannotRunError(
            f"compute.processes: found {processes}, wanted 1: {classifier.origin} is a black box, "
            "which several processes cannot ask while they train"
        )


def check_explained(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], classifier: "Classifier | None"
) -> None:
    """Raise if the images or the class that are to be explained are known not to be there."""
    if "chosen_images" not in pipeline.all_outputs():
        return
    from glance_pipeline.explanations.counterfactuals.targets import check_target  # imports torch
    from glance_pipeline.explanations.running.selection import check_named

    parameters = catalog.load("params:explain")
    if any(isinstance(one, str) for one in parameters.images or ()):
        check_form(pipeline, catalog)
    prepared = len(catalog.load("images")) if "images" in pipeline.inputs() else None
    try:
        check_named(parameters.images or (), prepared)
        if classifier is not None:
            check_target(parameters.target, classifier.task)
    except UserError as error:
        raise CannotRunError(str(error)) from error


def check_form(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    """Raise if a file would be brought into the form of other images than those of the run."""
    names = ("images", "image_form")
    if not pipeline.inputs().issuperset(names):
        return
    images, form = (version_to_load(name, catalog) for name in names)
    if images and form and images != form:
        older = min(images, form)  # of the newer there may be one alone
        raise CannotRunError(
            f"explain.images names files, which are to take the form of the prepared images: found "
            f"images of {images} and image_form of {form}, wanted one version of both; say "
            f"--load-versions images:{older},image_form:{older}, or make both anew"
        )


def check_discovered(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], classifier: "Classifier | None"
) -> None:
    """Raise if the graph's predictions are known to be no classes of the classifier."""
    if "concepts" not in pipeline.all_outputs() or classifier is None:
        return
    outcomes = catalog.load("params:discover").outcomes
    if outcomes is None:
        return
    from glance_pipeline.graph.effects.outcome_choice import check_outcomes  # imports torch

    try:
        check_outcomes(outcomes, classifier.task)
    except UserError as error:
        raise CannotRunError(str(error)) from error


def check_ingest(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], classifier: "Classifier | None"
) -> None:
    """Raise if files of the user's own are absent, or will not fit classifier or networks."""
    inputs = pipeline.inputs()
    if "params:ingest" not in inputs:
        return
    from glance_pipeline.ingest.agreement import absent_files, disagreements

    parameters = catalog.load("params:ingest")
    absent = absent_files(parameters)
    if absent:
        raise CannotRunError("; ".join(absent))
    shape = None if classifier is None else classifier.specification.image_shape
    widths = {}
    if "params:distill" in inputs:
        widths["distill.surrogate.widths"] = catalog.load("params:distill").surrogate.widths
        widths["align.reader.widths"] = catalog.load("params:align").reader.widths
    said = disagreements(parameters, shape, widths)
    if said:
        raise CannotRunError("; ".join(said))

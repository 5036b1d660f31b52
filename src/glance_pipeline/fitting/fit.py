"""What ``Explainer.fit`` and ``Explainer.load`` put together from the parts of this room."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.config.shared import ComputeParameters
from glance_pipeline.fitting.chain import run_stages
from glance_pipeline.fitting.fit_parameters import FitParameters, merged, parameters_for
from glance_pipeline.fitting.given_arrays import Arrays, Given, as_arrays
from glance_pipeline.fitting.saved_explainer import read_explainer, read_header
from glance_pipeline.fitting.teacher import GivenClassifier, teacher_of
from glance_pipeline.support.compute import choose_device, choose_precision, set_threads
from glance_pipeline.support.errors import UserError, validated
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks.concept import not_told_by_others


def fit_artifacts(
    teacher: Callable[[], Classifier],
    images: np.ndarray,
    given: Given,
    told: Mapping[str, Any],
    folder: str | Path | None,
) -> dict[str, Any]:
    """Train and discover; return the attributes of an ``Explainer``.

    Args:
        teacher: makes the classifier.
        images: uint8 (N, C, H, W).
        given: what is known of them.
        told: parameters that are to be otherwise than in a new project.
        folder: where checkpoints are kept; a temporary one if None.

    Raises:
        UserError: if any of it cannot be used.
    """
    size = images.shape[2]
    parameters = parameters_for(size, told)
    seed, kinds = parameters.shared.seed, parameters["align"].kinds
    with _machine(parameters.shared.compute), _workspace(folder) as place:
        classifier = teacher()
        arrays = as_arrays(images, classifier, given, kinds, seed)
        parameters = parameters_for(size, told, _dimensions(arrays, parameters))
        made = run_stages(arrays, teacher, parameters, place)
    return {
        **made,
        "classifier": classifier,
        "images": images,
        "image_form": None,
        "records": arrays.records,
        "parameters": parameters["explain"],
        "seed": seed,
    }


def load_artifacts(
    folder: Path, given: GivenClassifier | None, told: Mapping[str, Any]
) -> dict[str, Any]:
    """Read what ``Explainer.save`` wrote; return the attributes of an ``Explainer``.

    Args:
        folder: that was saved.
        given: the classifier that it was made with.
        told: the parameters ``explain``, ``seed`` and ``compute``, where they are to be otherwise.

    Raises:
        UserError: if the classifier is missing or another one, a parameter is not one of these,
            or the folder is spoilt.
    """
    header = read_header(folder)
    if given is None:
        raise UserError(
            f"{folder} does not hold the classifier: name it, Explainer.load({str(folder)!r}, "
            "classifier=…)"
        )
    other = sorted(set(told) - {"explain", "seed", "compute"})
    if other:
        raise UserError(f"parameters: found {other}; {folder} is trained already")
    use_device(validated(ComputeParameters, told.get("compute", {}), "compute"))
    wanted = merged(header.explain.model_dump(mode="json"), told.get("explain", {}))
    explain = validated(ExplainParameters, wanted, "explain")
    specification = header.specification.model_dump(mode="json", exclude_defaults=True)
    own = {} if isinstance(given, Classifier) else specification
    teacher = teacher_of(given, own, header.specification.image_shape)
    found = read_explainer(folder, header, teacher)
    return {**found, "parameters": explain, "seed": told.get("seed", header.seed)}


def use_device(wanted: ComputeParameters) -> None:
    """Choose the device and the precision; raise ``UserError`` where there is no such device."""
    choose_precision(wanted.precision)
    try:
        choose_device(wanted.device)
    except ValueError as error:
        raise UserError(str(error)) from error


@contextmanager
def _machine(wanted: ComputeParameters) -> Iterator[None]:
    """Use the machine as a run of a project does; torch has its threads back afterwards."""
    if wanted.processes not in (1, "auto"):
        raise UserError(
            f"parameter compute.processes: found {wanted.processes}, wanted 1: only a project "
            "trains in several processes (kedro run)"
        )
    use_device(wanted)
    before = torch.get_num_threads()
    set_threads(wanted.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _dimensions(arrays: Arrays, parameters: FitParameters) -> int:
    """Return how many dimensions of the residual code the context features take."""
    alignment = parameters["align"]
    _, concepts = standardise_context(arrays.context, arrays.records, {}, alignment.kinds)
    return len(not_told_by_others(concepts))


@contextmanager
def _workspace(folder: str | Path | None) -> Iterator[Path]:
    """Give the folder, made where it is missing; or a temporary one."""
    if folder is not None:
        place = Path(folder).expanduser().resolve()
        place.mkdir(parents=True, exist_ok=True)
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="glance-fit-") as temporary:
        yield Path(temporary)

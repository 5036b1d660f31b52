"""Explanations from Python, from what a project has trained."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters, parse_images
from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.explanations import Explanation, LocalExplanations
from glance_pipeline.explanations.result.explanation_folder import write_explanations
from glance_pipeline.explanations.running.batchwise import BatchwiseExplanations
from glance_pipeline.explanations.running.selection import Named, choose_images
from glance_pipeline.graph import CausalGraph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.pipeline_registry import register_pipelines
from glance_pipeline.project.lineage import judge_lineage
from glance_pipeline.project.opened import OpenedProject
from glance_pipeline.project.prerequisites import explain_unknown
from glance_pipeline.report import render_report
from glance_pipeline.support.compute import choose_device, choose_precision
from glance_pipeline.support.errors import UserError, fields_in_words
from glance_pipeline.support.whole import whole_folder
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate

logger = logging.getLogger(__name__)

_Parameters = TypeVar("_Parameters", bound=BaseModel)

_DATASETS = {
    "surrogate": "surrogate_aligned",
    "classifier": "classifier",
    "concepts": "concepts",
    "graph": "causal_graph",
    "structural_models": "structural_models",
    "images": "images",
    "image_form": "image_form",
    "records": "image_records",
    "metrics": "metrics",
}
"""The dataset of each attribute."""


@dataclass(frozen=True, eq=False, repr=False)
class Explainer:
    """Explains images as the ``explain`` pipeline does, without a run of it.

    Attributes:
        surrogate: the aligned twin surrogate.
        classifier: the teacher.
        concepts: concepts and predictions of every prepared image.
        graph: the global causal graph.
        structural_models: of the concepts.
        images: the prepared images, uint8 (N, C, H, W), mapped into memory.
        image_form: how a file becomes one like them, fields of ``Form``; None where not known.
        records: of the prepared images: label and split.
        metrics: of the newest ``evaluate``, None where there was none.
        parameters: of the explanations.
        seed: of their random draws.
    """

    surrogate: TwinSurrogate
    classifier: Classifier
    concepts: ConceptTable
    graph: CausalGraph
    structural_models: StructuralModels
    images: np.ndarray
    image_form: dict[str, Any] | None
    records: pd.DataFrame
    metrics: dict[str, Any] | None
    parameters: ExplainParameters
    seed: int

    @classmethod
    def load(
        cls,
        project: str | Path = ".",
        env: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **overrides: Any,
    ) -> "Explainer":
        """Read the newest that a project has trained.

        Nothing is written, no run is tracked, and the working directory stays.

        Args:
            project: root of the project, or a folder in it.
            env: configuration environment, ``local`` where None.
            parameters: that are to be otherwise than under ``conf/``, as ``kedro run --params``
                takes them: ``{"seed": 1, "explain": {"steps": 5}}``.
            overrides: the same for those of ``explain``: ``steps=5``.

        Raises:
            UserError: where there is no project, nothing has been trained, or a parameter is wrong;
                it says what to run.
        """
        wanted = {**(parameters or {})}
        if overrides:
            wanted["explain"] = {**wanted.get("explain", {}), **overrides}
        opened = OpenedProject.open(project, env, wanted)
        unknown = explain_unknown(opened.parameters, register_pipelines())
        if unknown is not None:
            raise UserError(unknown)
        checked = _check(ExplainParameters, opened.parameters.get("explain", {}), "explain")
        shared = _check(SharedParameters, opened.parameters)
        choose_precision(shared.compute.precision)
        try:
            choose_device(shared.compute.device)
        except ValueError as error:
            raise UserError(str(error)) from error
        found = opened.load(*_DATASETS.values(), pipelines=register_pipelines())
        judged = judge_lineage(
            _DATASETS.values(), (), opened.catalog, found["classifier"], opened.parameters
        )
        if judged.refusals:
            raise UserError("\n".join(judged.refusals))
        for doubt in judged.doubts:
            logger.warning(doubt)
        return cls(
            **{name: found[dataset] for name, dataset in _DATASETS.items()},
            parameters=checked,
            seed=shared.seed,
        )

    def __repr__(self) -> str:
        return (
            f"<Explainer: {len(self.classifier.class_names)} {self.classifier.task.nouns[1]}, "
            f"concepts {', '.join(self.surrogate.active_concepts)}, "
            f"{len(self.images)} prepared images>"
        )

    def explain(
        self, images: Named | Iterable[Any], target: str | int | None = None
    ) -> list[Explanation]:
        """Explain images by every method there is.

        Args:
            images: arrays or tensors of uint8, (N, C, H, W) or (C, H, W); indices of prepared
                images, also in an array (N,) or written as in ``explain.images`` (``"0-7"``);
                files, or folders of them; or several of these in a list.
            target: class the counterfactuals aim at in this call: ``runner_up``, ``any``, or a
                class name; else as ``explain.target`` is written.

        Returns:
            One explanation an image, in their order; an index or a file that is named twice is
            explained once.

        Raises:
            UserError: where an image cannot be read or does not fit, or the class is unknown.
        """
        parameters = self.parameters
        if target is not None:
            parameters = parameters.model_copy(update={"target": str(target)})
        chosen = choose_images(list(_named(images)), self.images, self.records, self.image_form)
        methods = LocalExplanations.from_artifacts(
            self.surrogate,
            self.classifier,
            self.concepts,
            self.records,
            self.structural_models,
            parameters,
            seed=self.seed,
        )
        progress = len(chosen) > parameters.at_once
        return list(BatchwiseExplanations(methods, chosen, progress=progress))

    def report(self, explanations: Iterable[Explanation]) -> str:
        """Return the report on explanations, one HTML page that opens offline.

        It shows as many as the parameter ``report_images`` says.
        """
        return render_report(
            list(explanations),
            self.graph,
            self.surrogate.concepts,
            self.metrics,
            self.parameters.report_images,
        )

    def save(self, explanations: Iterable[Explanation], folder: str | Path) -> Path:
        """Write explanations to a new folder, as the pipeline does, whole or not at all.

        Returns:
            The folder.

        Raises:
            FileExistsError: where the folder is there already and holds something.
        """
        path = Path(folder).expanduser()
        with whole_folder(path, replace=False) as unfinished:
            write_explanations(unfinished, explanations)
        return path


def _named(images: Named | Iterable[Any]) -> Iterator[Named]:
    """Yield what names one image or one folder."""
    if isinstance(images, Tensor):
        images = images.numpy(force=True)
    if isinstance(images, np.ndarray) and images.ndim < 2 and images.dtype.kind in "iu":
        yield from images.reshape(-1).tolist()
    elif isinstance(images, np.ndarray):
        yield from images if images.ndim == 4 else [images]
    elif isinstance(images, str):
        try:
            yield from parse_images(images)
        except ValueError as error:
            raise UserError(f"explain.images: {error}") from error
    elif isinstance(images, int | np.integer | Path) and not isinstance(images, bool):
        yield images
    elif isinstance(images, Iterable) and not isinstance(images, bytes | Mapping):
        for one in images:
            yield from _named(one)
    else:
        raise UserError(
            "images are named by indices, paths or arrays of uint8 (channels, height, width), "
            f"not by {type(images).__name__}"
        )


def _check(kind: type[_Parameters], found: Mapping[str, Any], *block: str) -> _Parameters:
    """Return parameters as ``kind``; raise ``UserError`` naming each that is wrong."""
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise UserError(f"parameter {fields_in_words(error, *block)}") from error

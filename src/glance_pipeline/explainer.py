"""Explanations from Python: of what a project has trained, or trained here without one."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters, parse_images
from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.explanations import Explanation, LocalExplanations
from glance_pipeline.explanations.result.explanation_folder import write_explanations
from glance_pipeline.explanations.running.batchwise import BatchwiseExplanations
from glance_pipeline.explanations.running.selection import Named, choose_images
from glance_pipeline.fitting.fit import fit_artifacts, load_artifacts, use_device
from glance_pipeline.fitting.given_arrays import Given, as_images
from glance_pipeline.fitting.saved_explainer import Header, is_saved, write_explainer
from glance_pipeline.fitting.teacher import GivenClassifier, teacher_of
from glance_pipeline.graph import CausalGraph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.pipeline_registry import register_pipelines
from glance_pipeline.project.lineage import ClassifierThen, judge_lineage
from glance_pipeline.project.opened import OpenedProject
from glance_pipeline.project.prerequisites import explain_unknown
from glance_pipeline.report import render_report
from glance_pipeline.support.errors import UserError, validated
from glance_pipeline.support.whole import whole_folder
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate

logger = logging.getLogger(__name__)

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
        structural_models: structural models of the concepts.
        images: the prepared images, uint8 (N, C, H, W), mapped into memory.
        image_form: how a file becomes one like them, fields of ``Form``; None if not known.
        records: records of the prepared images: label and split.
        metrics: metrics of the newest ``evaluate``, None if there was none.
        parameters: parameters of the explanations.
        seed: seed of their random draws.
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
    def fit(
        cls,
        classifier: GivenClassifier,
        images: np.ndarray | Tensor,
        context: pd.DataFrame | Mapping[str, Sequence[Any]] | None = None,
        *,
        labels: Sequence[Any] | np.ndarray | pd.Series | Tensor | None = None,
        splits: Sequence[str] | np.ndarray | pd.Series | None = None,
        specification: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        folder: str | Path | None = None,
    ) -> "Explainer":
        """Train a twin surrogate and discover the causal graph, without a project.

        It does what the pipelines ``distill``, ``disentangle``, ``align``, ``discover`` and
        ``evaluate`` do, with the parameters of a new project, sized for the images.

        Args:
            classifier: an ``nn.Module``, which stays as it is; a function that maps float32 arrays
                (N, C, H, W), normalised, to outputs (N, K); a ``Classifier``; or the path of an
                ONNX file or a folder of transformers.
            images: uint8 (N, C, H, W), 1 or 3 channels, square, 8, 16, 32, … px. They are kept.
            context: the features that become concepts, one row per image, in the order of the
                images; the index is not read. Without any, all concepts are latent.
            labels: the true class of each image, by name or number. Each split then holds each
                class in proportion.
            splits: ``train``, ``validation`` or ``test`` for each image; drawn at random where
                None, 80, 10 and 10 %.
            specification: fields of ``ClassifierSpecification``: ``class_names``, and where it
                applies ``mean``, ``std``, ``output``, ``input_size``, …
            parameters: what is to be otherwise than in a new project, such as
                ``{"seed": 1, "distill": {"stage": {"steps": 500}}}``.
            folder: where checkpoints are kept; the same call with the same folder goes on after
                an interruption. By default they are lost when ``fit`` ends.

        Raises:
            UserError: if the classifier, the images, what is known of them or a parameter
                cannot be used; it names what was found and what was wanted.
        """
        array = as_images(images)
        teacher = teacher_of(classifier, specification or {}, array.shape[1:])
        given = Given(context, labels, splits)
        return cls(**fit_artifacts(teacher, array, given, parameters or {}, folder))

    @classmethod
    def load(
        cls,
        project: str | Path = ".",
        env: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        classifier: GivenClassifier | None = None,
        **overrides: Any,
    ) -> "Explainer":
        """Read the newest that a project has trained, or what ``save`` wrote.

        Nothing is written, no run is tracked, and the working directory stays.

        Args:
            project: root of the project, or a folder in it; or a folder that ``save`` wrote.
            env: configuration environment of the project, ``local`` if None.
            parameters: that are to be otherwise than under ``conf/``, as ``kedro run --params``
                takes them: ``{"seed": 1, "explain": {"steps": 5}}``.
            classifier: that a saved explainer was made with, as ``fit`` takes it. A project names
                its own in its catalog.
            overrides: parameters of ``explain``: ``steps=5``.

        Raises:
            UserError: if there is no project, nothing has been trained, a parameter is wrong,
                or the classifier is not that of the saved explainer; it says what to do.
        """
        wanted = {**(parameters or {})}
        if overrides:
            wanted["explain"] = {**wanted.get("explain", {}), **overrides}
        folder = Path(project).expanduser()
        if is_saved(folder):
            if env is not None:
                raise UserError(f"env: found {env!r}, but {folder} is no project")
            return cls(**load_artifacts(folder, classifier, wanted))
        if classifier is not None:
            raise UserError(
                f"{folder} holds no saved explainer; a project names its classifier in its catalog"
            )
        opened = OpenedProject.open(project, env, wanted)
        unknown = explain_unknown(opened.parameters, register_pipelines())
        if unknown is not None:
            raise UserError(unknown)
        checked = validated(ExplainParameters, opened.parameters.get("explain", {}), "explain")
        shared = validated(SharedParameters, opened.parameters)
        use_device(shared.compute)
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
            UserError: if an image cannot be read or does not fit, or the class is unknown.
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
            graph=self.graph,
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

    def save_explanations(self, explanations: Iterable[Explanation], folder: str | Path) -> Path:
        """Write explanations to a new folder, as the pipeline does, whole or not at all.

        Returns:
            The folder.

        Raises:
            FileExistsError: if the folder is there already and holds something.
        """
        path = Path(folder).expanduser()
        with whole_folder(path, replace=False) as unfinished:
            write_explanations(unfinished, explanations)
        return path

    def save(self, folder: str | Path) -> Path:
        """Write the explainer to a new folder, whole or not at all; ``load`` reads it.

        The folder holds the prepared images and all that was trained, but not the classifier, and
        nothing in it is code.

        Returns:
            The folder.

        Raises:
            FileExistsError: if the folder is there already and holds something.
        """
        path = Path(folder).expanduser()
        header = Header(
            seed=self.seed,
            explain=self.parameters,
            specification=self.classifier.specification,
            classifier=ClassifierThen.of(self.classifier),
        )
        write_explainer(path, vars(self), header)
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

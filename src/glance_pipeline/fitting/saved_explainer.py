"""The folder of an explainer: all that explains, but for the classifier; nothing in it is code."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.pandas import ParquetDataset
from pydantic import BaseModel, ConfigDict, ValidationError

from glance_pipeline import __version__
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets import (
    CausalGraphDataset,
    ConceptTableDataset,
    ImageArrayDataset,
    NetworkWeightsDataset,
    OptionalDataset,
    StructuralModelsDataset,
)
from glance_pipeline.project.lineage import ClassifierThen
from glance_pipeline.support.errors import UserError, fields_in_words
from glance_pipeline.support.whole import whole_folder

FILE = "explainer.json"

_NETWORK = "glance_pipeline.twin.networks.TwinSurrogate"
_JSON = "glance_pipeline.datasets.JsonDataset"


class Header(BaseModel):
    """What ``explainer.json`` says.

    Attributes:
        format: format of the folder.
        made_by: version of this package.
        seed: seed of the explanations' random draws.
        explain: parameters of the explanations.
        specification: specification of the classifier.
        classifier: what it was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    made_by: str = __version__
    seed: int
    explain: ExplainParameters
    specification: ClassifierSpecification
    classifier: ClassifierThen


def is_saved(folder: Path) -> bool:
    """Return whether a folder is one that ``write_explainer`` wrote."""
    return (folder / FILE).is_file()


def write_explainer(folder: Path, artifacts: Mapping[str, Any], header: Header) -> None:
    """Write a new folder, whole or not at all.

    Args:
        folder: that does not exist, or is empty.
        artifacts: by attribute of ``Explainer``; None is left out.
        header: what else is known.

    Raises:
        FileExistsError: if something is there already.
    """
    with whole_folder(folder, replace=False) as unfinished:
        for name, dataset in _datasets(unfinished).items():
            if artifacts[name] is not None:
                dataset.save(artifacts[name])
        (unfinished / FILE).write_text(header.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_header(folder: Path) -> Header:
    """Return what the folder says of itself.

    Raises:
        UserError: if it is not what ``write_explainer`` writes.
    """
    file = folder / FILE
    try:
        return Header.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise UserError(f"{file}: {fields_in_words(error)}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: it cannot be read: {error}") from error


def read_explainer(
    folder: Path, header: Header, teacher: Callable[[], Classifier]
) -> dict[str, Any]:
    """Return the artifacts of a folder, with the classifier that they were made with.

    Args:
        folder: that ``write_explainer`` wrote.
        header: header of it.
        teacher: makes the classifier.

    Raises:
        UserError: if a file is missing or spoilt, or the classifier is another one.
    """
    classifier = teacher()
    now, then = ClassifierThen.of(classifier), header.classifier
    if now.class_names != then.class_names:
        raise UserError(
            f"{folder}: it was made with the classes {list(then.class_names[:6])}, the classifier "
            f"now has {list(now.class_names[:6])}"
        )
    if not then.answers_as(now):
        raise UserError(
            f"{folder}: it was made with a classifier that answers differently: other weights, "
            "normalisation or outputs. Load it with that classifier, or fit again"
        )
    try:
        found = {name: dataset.load() for name, dataset in _datasets(folder).items()}
    except (DatasetError, OSError) as error:
        raise UserError(f"{folder}: {error}") from error
    rows = {name: len(found[name]) for name in ("images", "records")}
    rows["concepts"] = len(found["concepts"].concepts)
    if len(set(rows.values())) > 1:
        raise UserError(f"{folder}: its files do not belong together: found rows {rows}")
    return {**found, "classifier": classifier}


def _datasets(folder: Path) -> dict[str, AbstractDataset[Any, Any]]:
    """Return the dataset of each artifact, by the attribute of ``Explainer``."""
    return {
        "surrogate": NetworkWeightsDataset(filepath=f"{folder}/surrogate", network=_NETWORK),
        "concepts": ConceptTableDataset(filepath=f"{folder}/concepts.parquet"),
        "graph": CausalGraphDataset(filepath=f"{folder}/causal_graph.json"),
        "structural_models": StructuralModelsDataset(filepath=f"{folder}/structural_models"),
        "images": ImageArrayDataset(filepath=f"{folder}/images.npy"),
        "image_form": OptionalDataset(dataset=_JSON, filepath=f"{folder}/image_form.json"),
        "records": ParquetDataset(filepath=f"{folder}/image_records.parquet"),
        "metrics": OptionalDataset(dataset=_JSON, filepath=f"{folder}/metrics.json"),
    }

"""Labels and numbers go through all of the chain, of networks and of black boxes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kedro.io import MemoryDataset
from kedro.runner import SequentialRunner

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.project.rehearsal.shortened_parameters import for_rehearsal
from glance_pipeline.twin.testing import tiny_classifier
from helpers.chain import PARAMETERS, chain_catalog, pipelines

STAGES = ("distill", "disentangle", "align", "discover", "evaluate", "explain")
LABELS = {"output": "label_logits", "class_names": ("shade", "tilt", "rise")}
NUMBERS = {"output": "values", "class_names": ("shade", "tilt", "rise"), "units": ("%", "mm", "s")}


class Kept(MemoryDataset):
    """In memory, and not released by the runner."""

    def _release(self) -> None:
        pass


def network(**specified: Any) -> Classifier:
    teacher = tiny_classifier()
    specification = ClassifierSpecification(image_shape=(1, 8, 8), **specified)
    return Classifier(teacher.network, specification)


def black_box(**specified: Any) -> Classifier:
    def moments(images: np.ndarray) -> tuple[np.ndarray, None]:
        ramp = np.linspace(-1, 1, 8)
        columns = [images.mean((1, 2, 3)), (images * ramp).mean((1, 2, 3))]
        columns.append((images * ramp[:, None]).mean((1, 2, 3)))
        return 400 * np.stack(columns, 1) - np.array([200, 0, 0]), None

    specification = ClassifierSpecification(image_shape=(1, 8, 8), **specified)
    return Classifier(BlackBox(moments), specification)


@pytest.mark.parametrize(
    ("teacher", "specified"),
    [(network, LABELS), (black_box, NUMBERS)],
    ids=["labels of a network", "numbers of a black box"],
)
def test_labels_and_numbers_are_explained_end_to_end(tmp_path: Path, teacher, specified):
    parameters = {name: for_rehearsal(block, np.arange(90)) for name, block in PARAMETERS.items()}
    kept = {name: Kept() for name in ("causal_graph", "classifier_accuracy", "surrogate_aligned")}
    catalog = chain_catalog(tmp_path, teacher(**specified), parameters | kept)
    accuracy = pipelines()["classify"].only_nodes("measure_classifier_accuracy")
    chain = sum((pipelines()[name] for name in STAGES), accuracy)
    SequentialRunner().run(chain, catalog)

    kind, measure = ("each", "logit") if specified is LABELS else ("values", "value")
    surrogate, graph = catalog.load("surrogate_aligned"), catalog.load("causal_graph")
    assert (surrogate.scale is not None) == (kind == "values")
    predictions = graph.of_kind("prediction")
    assert [node.measure for node in predictions] == [measure] * 3
    units = list(specified.get("units", ["logits"] * 3))
    assert [node.unit for node in predictions] == units
    tested = [edge for edge in (*graph.edges, *graph.rejected) if edge.effect]
    by_unit = {graph.node(edge.target).unit: edge.effect.unit for edge in tested}
    assert by_unit == {unit: f"{unit} per sd" for unit in units}

    explanations = list(catalog.load("explanations"))
    assert [one.prediction.kind for one in explanations] == [kind] * 2
    fidelity = json.loads((tmp_path / "metrics.json").read_text())["fidelity"]
    more = "label_agreement" if kind == "each" else "r2"
    assert 0 <= fidelity["reconstruction_agreement"] <= 1
    assert f"reconstruction_{more}" in fidelity
    # The context table has numbers called shade and tilt, which are no labels.
    accuracies = catalog.load("classifier_accuracy").get("classifier", {})
    assert set(accuracies) == ({"r2_test", "r2_train"} if kind == "values" else set())
    page = (tmp_path / "report.html").read_text()
    verb = "with" if kind == "each" else "read as"
    assert f"{explanations[0].source}: {verb} " in page

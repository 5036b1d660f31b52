"""Nodes of the evaluate pipeline on images that the renderer did not draw."""

import json

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.align import AlignParameters, ReaderParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.pipelines.evaluate.nodes import (
    compare_with_true_counterfactuals,
    measure_disentanglement_of_codes,
    train_judge,
)
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.testing import tiny_surrogate
from helpers.project import Project

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"label": 0, "split": ["train", "test"] * 20})
JUDGE = {"align": {"reader": {"widths": [8, 8]}}}  # at 4 and 8 px


def test_true_counterfactuals_are_left_out_for_images_of_ones_own(caplog):
    context = pd.DataFrame({"size": np.arange(40.0)})
    found = compare_with_true_counterfactuals(
        images=IMAGES,
        image_records=RECORDS,
        context_features=context,
        source_digits=IMAGES[:, 0],
        surrogate=tiny_surrogate(),
        parameters=EvaluateParameters(),
        workers=1,
        seed=0,
    )
    assert found == {}
    assert "true counterfactuals are not measured: image_records has no columns" in caplog.text


def test_disentanglement_is_left_out_where_no_feature_is_a_number(caplog):
    context = pd.DataFrame({"colour": ["red", "green", "blue", "white"] * 10})
    found = measure_disentanglement_of_codes(
        IMAGES, RECORDS, context, tiny_surrogate(), EvaluateParameters(), 0
    )
    assert found == {}
    assert "['colour'] left out" in caplog.text


@pytest.fixture
def own_images(project: Project) -> Project:
    """A project with all that evaluate reads but what only our own renderer's images have."""
    surrogate = tiny_surrogate()
    specification = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("a", "b", "c"))
    network = DemoClassifier(1, 8, classes=3, width=2, features=3)
    context = pd.DataFrame({"size": np.arange(40.0), "tilt": np.arange(40) % 7})
    context.loc[5:6, "size"] = np.nan
    nodes = tuple(Node(name, "aligned", name) for name in ("size", "tilt"))
    made = {
        "images": IMAGES,
        "image_records": RECORDS,
        "context_features": context,
        "classifier": Classifier(network, specification),
        "surrogate_aligned": surrogate,
        "causal_graph": CausalGraph(
            nodes, (), (), SearchRecord("FCI", "z", 0.01, 0.5, 3, 2, 12, 12, 0)
        ),
        **{f"{stage}_cost": {"seconds": 1.0} for stage in ("distill", "disentangle", "align")},
    }
    save(project, made)
    return project


def save(project: Project, made: dict[str, object]) -> None:
    with project.session() as session:
        catalog = session.load_context().catalog
        for name, data in made.items():
            catalog.save(name, data)


def test_images_of_ones_own_need_neither_source_digits_nor_a_known_graph(own_images, caplog):
    own_images.run("evaluate", params=JUDGE)
    metrics = own_images.load("metrics")
    assert set(metrics) == {
        "fidelity",
        "reconstruction",
        "alignment",
        "disentanglement",
        "axioms",
        "frechet",
        "judge",
        "intervention_matrix",
        "effectiveness",
        "cost",
        "version",  # of the file, told when it is loaded
    }
    assert json.dumps(metrics, allow_nan=False)
    assert set(metrics["judge"]["r2"]) == {"size", "tilt"}
    assert set(metrics["intervention_matrix"]["latent_1"]) == {"size", "tilt"}
    assert "true counterfactuals are not measured: there are no source digits" in caplog.text
    assert "graph distance: no graph is known" in caplog.text


def test_a_judge_whose_widths_do_not_fit_the_images_is_named():
    images = np.zeros((40, 3, 16, 16), np.uint8)
    reader = ReaderParameters(widths=(8, 8))
    parameters = AlignParameters.model_construct(reader=reader)  # type: ignore[call-arg]
    with pytest.raises(
        UserError, match=r"align\.reader: widths: 2 values \(8, 8\), but resolution 16"
    ):
        train_judge(images, RECORDS, pd.DataFrame(), tiny_surrogate(), parameters, 0)


def test_what_is_there_of_the_two_is_read(own_images, caplog):
    known = STRUCTURAL_MODELS["standard"].known_graph()
    save(own_images, {"source_digits": IMAGES[:, 0], "known_graph": {**known, "nodes": ["tilt"]}})
    own_images.run("evaluate", params=JUDGE)
    assert own_images.load("metrics")["graph"] == {"shd": 0}
    assert "image_records has no columns" in caplog.text


def test_what_is_not_optional_is_asked_for_and_nothing_else(project):
    with pytest.raises(CannotRunError, match=r"images .*images\.npy") as raised:
        project.run("evaluate")
    assert "source_digits" not in str(raised.value)
    assert "known_graph" not in str(raised.value)

import importlib.util

import numpy as np
import pandas as pd
import pytest

from benchmarks.explain.__main__ import main, shapley
from benchmarks.explain.saliency import COLUMNS, OURS, measure_saliency, saliency_table
from benchmarks.explain.trained_run import TrainedRun
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.explanations import LocalExplanations, ShapleyImportance
from glance_pipeline.support.seeding import seeded_torch
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.testing import tiny_surrogate
from helpers.project import PROJECT


@pytest.fixture
def run():
    surrogate = tiny_surrogate()
    with seeded_torch(0, "teacher"):
        network = DemoClassifier(size=8, classes=3, width=2, features=4)
    specification = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("a", "b", "c"))
    draws = np.random.default_rng(0)
    concepts = pd.DataFrame(draws.normal(size=(20, 3)), columns=surrogate.active_concepts)
    kinds = {name: surrogate.concept(name).kind for name in concepts}
    return TrainedRun(
        surrogate=surrogate,
        classifier=Classifier(network, specification),
        concepts=ConceptTable(concepts, pd.DataFrame(), kinds, dict.fromkeys(concepts, "")),
        images=draws.integers(0, 256, (20, 1, 8, 8), dtype=np.uint8),
        records=pd.DataFrame({"split": ["train"] * 12 + ["test"] * 8}),
        parameters=ExplainParameters(saliency={"paths": 2}, importance={"backgrounds": 4}),
        seed=0,
        rows=np.empty(0, int),
    )


def test_images_are_drawn_from_the_split(run):
    chosen = run.with_images("test", 5)
    assert len(set(chosen.rows)) == 5
    assert (chosen.rows >= 12).all()
    np.testing.assert_array_equal(chosen.chosen, run.images[chosen.rows])
    assert len(run.with_images("test", 100).rows) == 8
    with pytest.raises(ValueError, match="no image belongs to the split 'validation'"):
        run.with_images("validation", 5)


def test_importances_are_measured_as_the_pipeline_computes_them(run, monkeypatch):
    made = []

    class Recorded(ShapleyImportance):
        def __init__(self, *given, **settings):
            super().__init__(*given, **settings)
            made.append(self)

    monkeypatch.setattr("benchmarks.explain.shapley.ShapleyImportance", Recorded)
    chosen = run.with_images("test", 2)
    shapley(chosen, True)
    methods = LocalExplanations.from_artifacts(
        run.surrogate,
        run.classifier,
        run.concepts,
        run.records,
        None,
        run.parameters,
        seed=run.seed,
        graph=None,
    )
    sampled = ShapleyImportance(
        run.surrogate,
        run.classifier,
        methods.background,
        run.parameters.importance.model_copy(update={"exact_up_to": 0}),
        seed=run.seed,
        training=methods.training,
    )
    assert made[1].control.others.equal(sampled.control.others)
    assert made[1].game.others.equal(sampled.game.others)


@pytest.mark.skipif(importlib.util.find_spec("captum") is None, reason="an extra")
def test_all_methods_are_on_the_same_curves(run):
    found = measure_saliency(run.with_images("test", 3), steps=8)
    rows = {row["method"]: row for row in found["saliency"]}
    assert {OURS, "IntegratedGradients", "Occlusion", "LayerGradCam", "random order"} <= set(rows)
    for row in rows.values():
        assert row["deletion"] == row["deletion_background"]
        assert row["insertion"] == row["insertion_blur"]
        assert all(0 <= row[column] <= 1 for column in COLUMNS)
    assert all(rows[OURS][f"{column}_behind"] == 0 for column in COLUMNS)
    one = rows["Occlusion"]
    ahead = rows[OURS]["insertion_blur"] - one["insertion_blur"]
    assert one["insertion_blur_behind"] == pytest.approx(ahead)
    if importlib.util.find_spec("quantus"):
        assert found["curves"]["gap_to_quantus"] < 1e-5
    for behind in (False, True):
        assert list(saliency_table(found["saliency"], behind).index) == list(rows)


def test_folder_without_a_project_is_named(tmp_path):
    with pytest.raises(SystemExit, match=f"{tmp_path} is no Kedro project"):
        main(["--project", str(tmp_path)])


def test_project_without_a_trained_run_is_named(project, monkeypatch):
    monkeypatch.setenv("GLANCE_DATA_ROOT", str(project.data))
    with pytest.raises(SystemExit, match=r"(?s)classifier.*kedro run"):
        main(["--project", str(PROJECT), "--env", "test"])

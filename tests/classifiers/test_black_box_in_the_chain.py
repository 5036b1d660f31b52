import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from mlflow.tracking import MlflowClient

from glance_pipeline.project.hooks.cannot_run import CannotRunError
from helpers.project import PROJECT, Project


def share_of_white(batch: np.ndarray) -> np.ndarray:
    """Call a picture bright or dark by its mean: probabilities, no gradients."""
    bright = 1 / (1 + np.exp(-40 * (batch.mean((1, 2, 3)) - 0.12)))
    return np.stack([1 - bright, bright], 1)


@pytest.fixture
def black_box_project(finished_copy: Project, tmp_path: Path) -> Project:
    """The finished project with a Python function for a teacher."""
    conf = tmp_path / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    entry = {
        "type": "glance_pipeline.datasets.ClassifierDataset",
        "network": f"{__name__}.share_of_white",
        "trust": True,
        "most_queries": 100_000,
        "specification": {
            "image_shape": [1, 32, 32],
            "class_names": ["dark", "bright"],
            "output": "probabilities",
        },
    }
    (conf / "test/catalog_own.yml").write_text(yaml.safe_dump({"classifier": entry}))
    return replace(finished_copy, conf=conf)


def test_a_function_is_distilled_and_explained(black_box_project):
    stages = ("distill", "disentangle", "align", "discover", "explain")
    with pytest.raises(CannotRunError, match=r"^metrics of .* run evaluate") as refused:
        black_box_project.run(*stages)  # the report would show figures of another classifier
    assert "run distill" not in str(refused.value)
    black_box_project.run(*stages, "evaluate")
    curves = black_box_project.load("distill_curves")
    assert (curves["imitation"] > 0).all()
    explanations = black_box_project.load("explanations")
    assert {e.prediction.class_name for e in explanations} <= {"dark", "bright"}
    graph = black_box_project.load("causal_graph")
    assert {n.name for n in graph.nodes if n.kind == "prediction"} == {
        "prediction:dark",
        "prediction:bright",
    }
    client = MlflowClient(black_box_project.tracking_uri)
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert run.data.metrics["classifier.queries"] > 20 * 16  # every batch of distill alone

"""What is looked at before a run's first node."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.pipeline_registry import CHAIN, register_pipelines
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.contents import check_processes
from glance_pipeline.support import compute
from glance_pipeline.twin.testing import tiny_classifier
from helpers.project import PROJECT, Project


def share_of_white(batch: np.ndarray) -> np.ndarray:
    """A black box: logits (N, 2) that rise and fall with the mean of a picture."""
    mean = batch.mean((1, 2, 3))
    return np.stack([-4 * mean, 4 * mean], 1)


@pytest.fixture
def asked_by_function(project: Project, tmp_path: Path) -> Project:
    """A project without data, whose classifier is a Python function."""
    conf = tmp_path / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    entry = {
        "type": "glance_pipeline.datasets.ClassifierDataset",
        "network": f"{__name__}.share_of_white",
        "trust": True,
        "specification": {"image_shape": [1, 32, 32], "class_names": ["dark", "bright"]},
    }
    (conf / "test/catalog_own.yml").write_text(yaml.safe_dump({"classifier": entry}))
    return replace(project, conf=conf)


def test_all_checks_share_one_load_of_the_classifier(asked_by_function, monkeypatch):
    loads = []
    load = ClassifierDataset.load

    def counted(self: ClassifierDataset) -> Any:
        loads.append(self)
        return load(self)

    monkeypatch.setattr(ClassifierDataset, "load", counted)
    parameters = {
        "ingest": {"source": str(PROJECT), "size": 64},  # the last check says that it is not 32
        "discover": {"outcomes": ["dark", "bright"]},
        "explain": {"target": "dark"},
    }
    with pytest.raises(CannotRunError, match=r"ingest\.size is 64"):
        asked_by_function.run("own_data", params=parameters)
    assert len(loads) == 1


@pytest.mark.parametrize("differentiable", [False, True])
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("pipeline", CHAIN)
def test_a_black_box_is_not_trained_by_in_several_processes(pipeline, processes, differentiable):
    specification = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("dark", "bright"))
    box = Classifier(
        BlackBox(lambda images: (share_of_white(images), None)), specification, "classifier box"
    )
    nodes = register_pipelines()[pipeline]
    classifier = tiny_classifier() if differentiable else box
    if pipeline in ("distill", "disentangle", "align") and processes == 2 and not differentiable:
        with pytest.raises(CannotRunError, match="found 2, wanted 1: classifier box is a black"):
            check_processes(nodes, classifier, processes)
    else:
        check_processes(nodes, classifier, processes)


def test_several_processes_and_a_black_box_are_refused_before_images_are_read(
    asked_by_function, tmp_path, monkeypatch
):
    monkeypatch.setattr(compute, "_chosen", compute._Chosen(torch.device("cpu"), 1))
    np.save(tmp_path / "images.npy", np.zeros((8, 32, 32), np.uint8))
    parameters = {
        "ingest": {"source": str(tmp_path / "images.npy")},
        "compute": {"device": "cpu", "processes": 2},
    }
    with pytest.raises(CannotRunError, match=r"compute\.processes: found 2, wanted 1") as told:
        asked_by_function.run("own_data", params=parameters)
    assert "\n" not in str(told.value)
    assert not (asked_by_function.data / "05_model_input").exists()

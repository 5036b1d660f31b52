"""What is looked at before a run's first node."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.hooks.errors import CannotRunError
from support_project import PROJECT, Project


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

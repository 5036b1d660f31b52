"""The chain with a classifier of very many classes: a graph of a few, explanations of any."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from click import ClickException
from torch import Tensor, nn

from helpers.project import PROJECT, Project


class ManyClasses(nn.Module):
    """A random linear head on 16 mean grey levels; class 0 is no image's."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(16, classes)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(classes, 16, generator=generator) * 4)
            self.head.bias.zero_()
            self.head.bias[0] = -100

    def forward(self, images: Tensor) -> Tensor:
        return self.head(nn.functional.adaptive_avg_pool2d(images, 4).flatten(1))


def name_of(number: int) -> str:
    return f"class {number:05d}"


def with_classes(project: Project, folder: Path, classes: int) -> Project:
    conf = folder / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    names = folder / "names.txt"
    names.write_text("".join(f"{name_of(k)}\n" for k in range(classes)))
    entry = {
        "type": "glance_pipeline.datasets.ClassifierDataset",
        "network": f"{__name__}.ManyClasses",
        "arguments": {"classes": classes},
        "trust": True,
        "specification": {"image_shape": [1, 32, 32], "class_names": str(names)},
    }
    (conf / "test/catalog_own.yml").write_text(yaml.safe_dump({"classifier": entry}))
    return replace(project, conf=conf)


def predictions(project: Project) -> list[str]:
    return [node.label for node in project.load("causal_graph").of_kind("prediction")]


def test_ten_thousand_classes_go_through_the_chain(finished_copy, tmp_path, caplog):
    project = with_classes(finished_copy, tmp_path, 10_000)
    target = {"explain": {"target": name_of(0), "count": 1}}
    with caplog.at_level(logging.INFO, "glance_pipeline"):
        stages = ("distill", "disentangle", "align", "discover", "explain", "evaluate")
        project.run(*stages, params=target)
    shown = predictions(project)
    assert 1 < len(shown) <= 50
    assert f"{len(shown)} of 10,000 classes" in caplog.text
    assert list(project.load("concepts").margins) == shown
    graph = project.load("causal_graph")
    assert graph.intervention.other_classes == 10_000 - len(shown)
    # A class that is no prediction of the graph can still be aimed at.
    assert name_of(0) not in shown
    (explanation,) = project.load("explanations")
    assert explanation.counterfactuals.target == name_of(0)
    assert len(explanation.prediction.logits) == 10_000
    report = project.load("report")
    assert f"{len(shown)} of the classifier’s 10,000 answers" in report
    assert project.load("metrics")["fidelity"]["student_agreement"] >= 0


def test_the_predictions_can_be_named_and_what_is_no_class_is_refused(finished_copy, tmp_path):
    project = with_classes(finished_copy, tmp_path, 300)
    wrong = {"discover": {"outcomes": ["class 00007", "clas 00008"]}}
    project.run("distill", "disentangle", "align")
    with pytest.raises(ClickException, match="no class 'clas 00008'; the closest of 300 are"):
        project.run("discover", params=wrong)
    project.run("discover", params={"discover": {"outcomes": ["class 00007", "class 00003"]}})
    assert predictions(project) == ["class 00003", "class 00007"]
    with pytest.raises(ClickException, match="no class 'class 300'; give runner_up, any, or the"):
        project.run("explain", params={"explain": {"target": "class 300"}})

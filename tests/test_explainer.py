"""``Explainer``: the same explanations from Python, and nothing else."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glance_pipeline import Explainer
from glance_pipeline.graph import CausalGraph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.support.errors import UserError
from helpers.project import PROJECT, Project


@pytest.fixture(scope="module")
def explainer(finished_project: Project) -> Explainer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLANCE_DATA_ROOT", str(finished_project.data))
        return Explainer.load(PROJECT, env="test")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_explanations_are_those_of_the_pipeline_to_the_byte(finished_project, explainer, tmp_path):
    (saved,) = finished_project.data.glob("07_model_output/explanations/*/explanations")
    numbers = [explanation.index for explanation in finished_project.load("explanations")]
    mine = explainer.save_explanations(explainer.explain(numbers), tmp_path / "mine")
    assert len(numbers) == 2
    assert files_of(mine) == files_of(saved)


def test_what_the_project_has_trained_is_at_hand(explainer):
    assert {"thickness", "slant"} <= set(explainer.surrogate.concept_names)
    assert len(explainer.classifier.class_names) == 10
    assert len(explainer.concepts.concepts) == len(explainer.images) == 400
    assert isinstance(explainer.graph, CausalGraph)
    assert isinstance(explainer.structural_models, StructuralModels)


def test_images_are_named_in_every_way(explainer, tmp_path):
    image = np.array(explainer.images[7])
    for name in ("b.png", "a/c.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(tmp_path / "in" / name)
    named = [7, tmp_path / "in/b.png", str(tmp_path / "in"), image, np.stack([image, image])]
    explanations = explainer.explain(named)
    logits = explainer.classifier.logits(torch.as_tensor(image[None]) / 127.5 - 1)
    own = explainer.classifier.class_names[int(logits.argmax())]
    assert [e.source for e in explanations] == [
        "image 7",
        str(tmp_path / "in/b.png"),
        f"{tmp_path}/in/a/c.png",
        "array 3",
        "array 4",
        "array 5",
    ]
    for explanation in explanations:
        np.testing.assert_array_equal(explanation.original, image)
        assert explanation.prediction.class_name == own
    (alone,) = explainer.explain(image)
    assert alone.source == "array 0" and alone.concepts[0].name == explanations[0].concepts[0].name
    assert [e.index for e in explainer.explain("2-3")] == [2, 3]


def test_tensors_are_images_and_arrays_of_indices_are_not(explainer):
    image = torch.from_numpy(np.array(explainer.images[:1]))
    array, *indexed = explainer.explain([image, np.array([2, 0])])
    assert array.index is None and [e.index for e in indexed] == [2, 0]
    np.testing.assert_array_equal(array.original, indexed[1].original)


def test_a_target_holds_for_one_call(explainer):
    name = explainer.explain(3)[0].prediction.class_name
    other = next(c for c in explainer.classifier.class_names if c != name)
    assert explainer.explain(3, target=other)[0].counterfactuals.target == other
    assert explainer.explain(3)[0].counterfactuals.target != "any"
    assert explainer.parameters.target == "runner_up"
    with pytest.raises(UserError, match="no class 'zebra'"):
        explainer.explain(3, target="zebra")


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (400, "no image 400; 400 images are numbered 0 to 399"),
        (-1, "no image -1"),
        ("none.png", "no file or folder none.png"),
        ("7-3", "the range 7-3 of images runs backwards"),
        (np.zeros((1, 32, 32)), r"uint8 and shape \(1, 32, 32\).*; found float64"),
        (np.zeros((28, 28), np.uint8), r"found uint8 and \(28, 28\)"),
        (2.5, "not by float"),
        (True, "not by bool"),
        (b"ab", "not by bytes"),
    ],
)
def test_what_cannot_be_explained_is_said(explainer, images, told):
    with pytest.raises(UserError, match=told):
        explainer.explain(images)


def test_a_report_and_a_folder_are_written(explainer, tmp_path):
    explanations = explainer.explain([3])
    assert explanations[0].sentence in explainer.report(explanations)
    folder = explainer.save_explanations(explanations, tmp_path / "new")
    assert (folder / "image_000003/explanation.json").is_file()
    with pytest.raises(FileExistsError, match="new is there already"):
        explainer.save_explanations(explanations, folder)


def test_loading_leaves_no_trace(finished_project, tmp_path, monkeypatch):
    monkeypatch.setenv("GLANCE_DATA_ROOT", str(finished_project.data))
    monkeypatch.chdir(tmp_path)
    before = sorted(finished_project.data.rglob("*"))
    logging_before = list(logging.getLogger().handlers)
    path, environment = list(sys.path), dict(os.environ)
    overridden = Explainer.load(PROJECT / "conf", env="test", steps=2, parameters={"seed": 5})
    assert (overridden.parameters.steps, overridden.seed) == (2, 5)
    assert overridden.parameters.search.largest == 2, "what conf/test says stays"
    assert sorted(finished_project.data.rglob("*")) == before
    assert list(logging.getLogger().handlers) == logging_before
    assert (sys.path, dict(os.environ), Path.cwd()) == (path, environment, tmp_path)
    finished_project.load("concepts")  # a session of Kedro works as before


def test_two_projects_are_loaded_beside_each_other(finished_project, tmp_path, monkeypatch):
    """Their paths are their own, and so is what the configuration says of them."""
    monkeypatch.delenv("GLANCE_DATA_ROOT", raising=False)
    seeds = {}
    for name, seed in (("one", 1), ("two", 2)):
        project = tmp_path / name
        (project / "build").mkdir(parents=True)
        (project / "build/test-data").symlink_to(finished_project.data)
        (project / "pyproject.toml").write_text((PROJECT / "pyproject.toml").read_text())
        for folder in (PROJECT / "conf").iterdir():
            (project / "conf").mkdir(exist_ok=True)
            (project / "conf" / folder.name).symlink_to(folder)
        seeds[name] = Explainer.load(project, env="test", parameters={"seed": seed})
    assert [seeds[name].seed for name in ("one", "two")] == [1, 2]
    assert str(seeds["two"].images.filename).startswith(str(finished_project.data.resolve()))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"stepps": 3}, "parameter explain.stepps: Extra inputs are not permitted"),
        ({"steps": 1}, "parameter explain.steps: Input should be greater"),
        (
            {"parameters": {"seed": -1}},
            "parameter seed: Input should be greater",
        ),
        ({"parameters": {"compute": {"threads": 0}}}, "parameter compute.threads: Input should"),
        ({"parameters": {"sed": 1}}, "parameter 'sed' is unknown: did you mean 'seed'"),
        ({"num_shards": 2, "shard_index": 2}, "2 shards .num_shards. are numbered 0 to 1"),
    ],
)
def test_a_wrong_parameter_is_named(overrides, told):
    with pytest.raises(UserError, match=told):
        Explainer.load(PROJECT, env="test", **overrides)


def test_where_nothing_is_trained_it_says_what_to_run(project, monkeypatch, tmp_path):
    with pytest.raises(UserError, match="is no Kedro project and lies in none"):
        Explainer.load(tmp_path)
    with pytest.raises(UserError, match="nowhere"):
        Explainer.load(PROJECT, env="nowhere")
    monkeypatch.setenv("GLANCE_DATA_ROOT", str(project.data))
    with pytest.raises(UserError) as told:
        Explainer.load(PROJECT, env="test")
    lines = str(told.value).splitlines()
    assert lines[0] == "The explainer needs what is not there yet:"
    assert any(line.startswith("  surrogate_aligned (") for line in lines)
    assert "made by the pipeline align" in str(told.value)
    assert lines[-2].startswith("Run first: kedro run --pipeline prepare && ")


def test_the_package_is_imported_without_what_it_does_not_need_yet():
    code = (
        "import sys, glance_pipeline; assert 'torch' not in sys.modules; "
        "from glance_pipeline import Explainer; "
        "assert not {'mlflow', 'kedro.framework.project'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""``Explainer.fit``, ``save`` and ``load``: an explainer without a project."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline import Explainer
from glance_pipeline.fitting.fit_parameters import merged
from glance_pipeline.support.errors import UserError
from helpers.fitting import short_parameters
from helpers.project import PROJECT, Project


@pytest.fixture(scope="module")
def given(finished_project: Project) -> dict:
    """What the finished project was trained on, as arguments of ``fit``."""
    classifier = finished_project.load("classifier")
    return {
        "classifier": classifier.network,
        "images": np.array(finished_project.load("images")),
        "context": finished_project.load("context_features"),
        "splits": finished_project.load("image_records")["split"],
        "specification": classifier.specification.model_dump(exclude_defaults=True),
        "parameters": short_parameters(),
    }


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def fitted(given: dict, work: Path) -> Explainer:
    return Explainer.fit(**given, folder=work)


@pytest.fixture
def saved(fitted: Explainer, tmp_path: Path) -> Path:
    return fitted.save(tmp_path / "saved")


def test_the_twin_is_that_of_the_pipelines_to_the_byte(fitted, finished_project):
    tensors, header = fitted.surrogate.to_weights()
    wanted, wanted_header = finished_project.load("surrogate_aligned").to_weights()
    assert header == wanted_header
    assert tensors.keys() == wanted.keys()
    assert all(torch.equal(tensors[name], wanted[name]) for name in wanted)


def test_graph_and_metrics_are_those_of_the_pipelines(fitted, finished_project):
    assert fitted.graph.to_json() == finished_project.load("causal_graph").to_json()
    metrics = finished_project.load("metrics")
    for name in ("fidelity", "alignment", "intervention_matrix", "disentanglement"):
        assert fitted.metrics[name] == metrics[name]


def test_the_same_call_with_the_same_folder_trains_no_step_twice(given, fitted, work):
    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in work.rglob("checkpoints/*/*/*.pt")}

    before, threads = written(), torch.get_num_threads()
    again = Explainer.fit(**given, folder=work)
    assert len({path.parents[1].name for path in before}) == 3
    assert written() == before
    assert again.graph.to_json() == fitted.graph.to_json()
    assert torch.get_num_threads() == threads


def test_nobody_elses_things_are_changed(given, fitted):
    assert len(fitted.images) == len(given["images"]) == 400
    assert fitted.classifier.network is not given["classifier"]
    assert not logging.getLogger("kedro").handlers


def test_what_is_saved_explains_to_the_byte(given, fitted, saved, tmp_path):
    loaded = Explainer.load(saved, classifier=given["classifier"])
    assert loaded.parameters == fitted.parameters and loaded.seed == fitted.seed
    assert loaded.metrics == fitted.metrics
    pd.testing.assert_frame_equal(loaded.records, fitted.records)
    np.testing.assert_array_equal(loaded.images, fitted.images)
    one, other = (
        explainer.save_explanations(explainer.explain([3, 5]), tmp_path / name)
        for name, explainer in {"one": fitted, "other": loaded}.items()
    )
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert len(files) > 2
    for file in files:
        assert (one / file).read_bytes() == (other / file).read_bytes(), file


def test_an_explainer_of_a_project_can_be_saved_too(finished_project, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLANCE_DATA_ROOT", str(finished_project.data))
        explainer = Explainer.load(PROJECT, env="test")
    folder = explainer.save(tmp_path / "saved")
    loaded = Explainer.load(folder, classifier=explainer.classifier, steps=4)
    assert loaded.parameters.steps == 4
    assert loaded.image_form == explainer.image_form
    assert loaded.explain(0)[0].sentence


def test_nothing_is_written_over(fitted, saved):
    with pytest.raises(FileExistsError, match="saved is there already"):
        fitted.save(saved)


def test_another_classifier_is_refused(given, saved):
    other = type(given["classifier"])(**given["classifier"].arguments)
    with pytest.raises(UserError, match="a classifier that answers differently"):
        Explainer.load(saved, classifier=other)


def test_it_is_said_what_cannot_be_loaded(given, saved, tmp_path):
    network = given["classifier"]
    with pytest.raises(UserError, match="does not hold the classifier"):
        Explainer.load(saved)
    with pytest.raises(UserError, match="is trained already"):
        Explainer.load(saved, classifier=network, parameters={"distill": {}})
    with pytest.raises(UserError, match=r"parameter explain.stepps"):
        Explainer.load(saved, classifier=network, stepps=4)
    with pytest.raises(UserError, match=r"'test', but .* is no project"):
        Explainer.load(saved, "test", classifier=network)
    with pytest.raises(UserError, match="holds no saved explainer"):
        Explainer.load(tmp_path, classifier=network)


@pytest.mark.parametrize(
    "name",
    [
        "surrogate.safetensors",
        "concepts.parquet",
        "causal_graph.json",
        "structural_models.safetensors",
        "images.npy",
        "image_records.parquet",
        "explainer.json",
    ],
)
def test_a_file_that_is_cut_off_or_missing_is_named(given, saved, name):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=name.partition(".")[0]):
        Explainer.load(saved, classifier=given["classifier"])
    (saved / name).unlink()
    with pytest.raises(UserError):
        Explainer.load(saved, classifier=given["classifier"])


def test_files_of_two_explainers_are_told_apart(given, saved):
    records = pd.read_parquet(saved / "image_records.parquet")
    records[:-1].to_parquet(saved / "image_records.parquet")
    with pytest.raises(UserError, match=r"do not belong together: .*'images': 400, 'records': 399"):
        Explainer.load(saved, classifier=given["classifier"])


def test_a_folder_of_a_later_format_is_not_guessed_at(given, saved):
    header = json.loads((saved / "explainer.json").read_text())
    (saved / "explainer.json").write_text(json.dumps({**header, "format": 2}))
    with pytest.raises(UserError, match=r"explainer.json: format"):
        Explainer.load(saved, classifier=given["classifier"])


def test_several_processes_belong_to_a_project(given):
    parameters = merged(given["parameters"], {"compute": {"processes": 2}})
    with pytest.raises(UserError, match=r"compute.processes: found 2, wanted 1"):
        Explainer.fit(**{**given, "parameters": parameters})

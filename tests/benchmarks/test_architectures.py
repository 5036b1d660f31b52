"""Whole teachers, in a few steps: what is wired up, not how well it explains."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.architectures import __main__ as command
from benchmarks.architectures.configuration import Configuration, load_configuration, result_key
from benchmarks.architectures.environment import Environment
from benchmarks.architectures.material import read_material
from benchmarks.architectures.run_teacher import IMAGES
from benchmarks.architectures.runner import run_teachers
from benchmarks.architectures.table import teacher_table
from benchmarks.architectures.teachers import QUICK, TEACHERS
from benchmarks.architectures.training import Lesson, accuracy
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.digits.measure import measure_digits

SMALL = {"steps": 2, "batch_size": 8, "log_every": 1, "checkpoint_every": 2}
TINY = {
    "images": 120,
    "held_out": 12,
    "teacher": {"steps": 4, "batch_size": 8},
    "pipelines": {
        "distill": {
            "surrogate": {"widths": [8, 8, 8, 8], "style": 16, "hidden": 16, "concepts": 2},
            "stage": SMALL,
        },
        "disentangle": {"stage": SMALL},
        "align": {
            "reader": {"steps": 3, "widths": [8, 8, 8, 8], "hidden": 16, "batch_size": 8},
            "stage": SMALL,
        },
        "discover": {
            "search": {"resamples": 2},
            "intervention": {"images": 12, "resamples": 20, "doses": 0, "interactions": 0},
            "structural_model": {"permutations": 0, "falsification_rows": 50},
        },
    },
}
KEYS = {"name", "parameters", "black_box", "agreement", "shortcut_right", "seconds"}


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration(**TINY)


@pytest.fixture(scope="module")
def finished(
    configuration: Configuration, tmp_path_factory: pytest.TempPathFactory, migrated_store: Path
) -> tuple[Path, list[dict[str, Any]]]:
    """The folder and the rows of a teacher with gradients and of the black box."""
    folder = tmp_path_factory.mktemp("architectures")
    names = ["lenet5", "onnx"]
    for name in names:
        data = folder / "runs" / name / "data"
        data.mkdir(parents=True)
        shutil.copy(migrated_store, data / "mlflow.db")
    return folder, run_teachers(names, configuration, 0, folder, workers=1)


def test_a_row_says_what_the_issue_asks_for(finished):
    _, (lenet, onnx) = finished
    assert lenet.keys() >= KEYS and onnx.keys() >= KEYS
    assert (lenet["name"], lenet["parameters"], lenet["black_box"]) == ("lenet5", 61_026, False)
    assert (onnx["name"], onnx["black_box"]) == ("onnx", True)
    for row in (lenet, onnx):
        found = {name: abs(effect["mean"]) for name, effect in row["effects"]["found"].items()}
        assert row["top_concept"] == max(found, key=found.get)
        assert row["top1_right"] is (row["top_concept"] == "slant")
        assert row["shortcut_right"] is (row["top1_right"] and row["signs_right"])
        assert 0 <= row["agreement"] <= 1
        assert row["seconds"] > 0 and not row["resumed"]


def test_queries_of_the_black_box_alone_are_counted(finished):
    _, (lenet, onnx) = finished
    assert lenet["queries"] is None
    # All images once, and in each step of three stages at least the reconstructions.
    assert onnx["queries"] > 120 + 3 * 2 * 8


def test_kedro_explained_the_file_on_the_images_that_were_drawn(finished):
    folder, _ = finished
    environment = Environment(folder / "runs" / "onnx")
    images, context, records, classifier, graph = environment.load(
        "images", "context_features", "image_records", "classifier", "causal_graph"
    )
    digits = read_material(folder / IMAGES).drawn.digits
    assert not classifier.differentiable
    order = [int(file) for file in records["file"]]
    assert sorted(order) == list(range(120))
    assert np.array_equal(images, digits.images[order])
    assert records["split"].tolist() == digits.records["split"].iloc[order].tolist()
    assert context["slant"].to_numpy() == pytest.approx(digits.context["slant"].to_numpy()[order])
    assert {node.name for node in graph.nodes} >= {"slant", "prediction:yes"}


def test_the_black_box_has_the_weights_that_were_trained(finished):
    folder, (_, onnx) = finished
    (file,) = (folder / "runs" / "onnx" / "given").glob("*.onnx")
    specification = {"image_shape": [1, 32, 32], "class_names": ["no", "yes"]}
    classifier = ClassifierDataset(
        filepath=str(file), specification=specification | {"mean": [0.5], "std": [0.5]}
    ).load()
    lesson = read_material(folder / IMAGES).test
    answers = classifier.answers(lesson.images).logits.argmax(1).numpy()
    assert float((answers == lesson.labels).mean()) == pytest.approx(onnx["accuracy"])


def test_a_finished_teacher_is_read_and_not_run_again(finished, configuration):
    folder, _ = finished
    path = folder / "lenet5.json"
    kept = path.read_text()
    path.write_text(json.dumps({**json.loads(kept), "leak": 42.0}))
    (row,) = run_teachers(["lenet5"], configuration, 0, folder, workers=1)
    path.write_text(kept)
    assert row["leak"] == 42.0


def test_the_console_is_as_it_was(finished):
    assert logging.getLogger("kedro_viz").level != logging.ERROR


def test_the_confounded_label_goes_with_the_shortcut_more_than_with_the_digit(finished):
    material = read_material(finished[0] / IMAGES)
    lesson, digits = material.train, material.drawn.digits
    big = (digits.records["label"] >= 5)[digits.rows_of("train")]
    assert (lesson.labels == big).mean() == pytest.approx(0.6, abs=0.15)
    slant = measure_digits(lesson.images, n_jobs=1, progress=False)["slant"].to_numpy()
    assert (lesson.labels == (slant > np.median(slant))).mean() > 0.75


def test_accuracy_counts_the_labels_that_are_met():
    class Bright(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            mean = images.mean((1, 2, 3))
            return torch.stack([-mean, mean], 1)

    images = np.zeros((4, 1, 8, 8), np.uint8)
    images[2:] = 255
    assert accuracy(Bright(), Lesson(images, np.array([0, 0, 1, 0]))) == 0.75


def test_the_table_names_the_effect_of_the_shortcut_and_the_next(finished):
    _, (lenet, _) = finished
    effects = {
        "true": {"slant": {"mean": 2.0}},
        "found": {"slant": {"mean": 1.5}, "length": {"mean": -0.4}, "latent_1": {"mean": 0.3}},
    }
    table = teacher_table([lenet | {"effects": effects}])
    assert table.loc["LeNet5", "true → found"] == "+2.00 → +1.50"
    assert table.loc["LeNet5", "next"] == "length -0.40"


def test_results_of_another_configuration_or_seed_are_kept_apart():
    plain, quick = load_configuration(), load_configuration(quick=True)
    assert result_key(plain, 0) == result_key(load_configuration(), 0)
    assert len({result_key(plain, 0), result_key(quick, 0), result_key(plain, 1)}) == 3
    assert set(QUICK) < set(TEACHERS)


def test_the_command_prints_one_table_and_writes_it(finished, tmp_path, monkeypatch, capsys):
    folder, rows = finished
    monkeypatch.setattr(command, "load_configuration", lambda quick: load_configuration(**TINY))
    monkeypatch.setattr(command, "result_key", lambda configuration, seed: folder.name)
    path = tmp_path / "out" / "architectures.json"
    command.main(["--only", "lenet5", "onnx", "--folder", str(folder.parent), "--json", str(path)])
    printed = capsys.readouterr().out
    assert "LeNet5" in printed and "the ResNet as a black box" in printed
    assert json.loads(path.read_text())["teachers"] == rows


def test_the_command_says_how_it_is_used(capsys):
    with pytest.raises(SystemExit) as end:
        command.main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(option in said for option in ("--json", "--quick", "--only", "--seed"))
    with pytest.raises(SystemExit):
        command.main(["--only", "alexnet"])
    assert "alexnet" in capsys.readouterr().err

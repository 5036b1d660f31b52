"""Whole cases, in a few steps: what is wired up, not how well it explains."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.glassbox import configuration as settings
from benchmarks.glassbox.__main__ import main
from benchmarks.glassbox.cases import CASES, QUICK
from benchmarks.glassbox.configuration import load_configuration, result_key
from benchmarks.glassbox.runner import run_cases

TINY = {
    "prepare": {"number_of_images": 120},
    "classify": {"steps": 5, "width": 4},
    "distill": {
        "surrogate": {"widths": [8, 8, 8, 8], "style": 16, "hidden": 16},
        "stage": {"steps": 2, "batch_size": 8},
    },
    "disentangle": {"stage": {"steps": 2, "batch_size": 8}},
    "align": {
        "reader": {"steps": 3, "widths": [8, 8, 8, 8], "batch_size": 8},
        "stage": {"steps": 2, "batch_size": 8},
    },
    "glassbox": {"held_out": 12, "importance_images": 2},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glassbox")
    run_cases(["corner_mark"], load_configuration(**TINY), 0, folder, workers=1)
    return folder


def test_at_least_twelve_cases_of_which_two_are_where_intensity_follows_thickness():
    assert len(CASES) >= 12
    assert sum(case.scenario == "standard" for case in CASES.values()) >= 2
    assert set(QUICK) <= set(CASES)


def test_a_case_says_what_was_planted_and_what_was_found(finished: Path):
    result = json.loads((finished / "corner_mark.json").read_text())
    assert result["planted"] == ["mark"]
    assert result["rank_correlation"] is None
    effects = {effect["concept"]: effect for effect in result["effects"]}
    assert [name for name, effect in effects.items() if effect["kind"] == "aligned"] == [
        "thickness",
        "intensity",
        "slant",
        "length",
        "mark",
    ]
    assert effects["mark"]["planted"] and not effects["slant"]["planted"]
    assert effects["mark"]["true"]["magnitude"] > 0
    order = sorted(result["importances"], key=result["importances"].get, reverse=True)
    assert set(order) == {name for name, effect in effects.items() if effect["found"]}
    assert result["shapley_top1_right"] is (order[0] == "mark")
    assert not (finished / "checkpoints" / "corner_mark").exists()


def test_a_finished_case_is_read_and_not_run_again(finished: Path):
    path = finished / "corner_mark.json"
    kept = path.read_text()
    path.write_text(json.dumps({**json.loads(kept), "leak": 42.0}))
    (result,) = run_cases(["corner_mark"], load_configuration(**TINY), 0, finished, workers=1)
    path.write_text(kept)
    assert result["leak"] == 42.0


def test_the_result_does_not_depend_on_the_number_of_workers(finished: Path, tmp_path: Path):
    shutil.copy(finished / "images_marked.npz", tmp_path)
    run_cases(["corner_mark"], load_configuration(**TINY), 0, tmp_path, workers=2)
    one, two = (
        json.loads((folder / "corner_mark.json").read_text()) for folder in (finished, tmp_path)
    )
    for result in (one, two):
        for name in ("seconds", "processor_seconds", "seconds_of_stages"):
            del result[name]
        for said in result["explainers"].values():
            del said["seconds"]
    assert one == two


def test_results_of_another_configuration_seed_or_code_are_kept_apart(
    monkeypatch: pytest.MonkeyPatch,
):
    plain, quick = load_configuration(), load_configuration(quick=True)
    assert result_key(plain, 0) == result_key(load_configuration(), 0)
    keys = {result_key(plain, 0), result_key(quick, 0), result_key(plain, 1)}
    monkeypatch.setattr(settings, "PACKAGE", settings.HERE)
    assert len(keys | {result_key(plain, 0)}) == 4


def test_the_cases_can_be_listed(capsys: pytest.CaptureFixture[str]):
    main(["--list"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in listed] == list(CASES)


def test_an_unknown_case_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--only", "colour"])
    assert "colour" in capsys.readouterr().err

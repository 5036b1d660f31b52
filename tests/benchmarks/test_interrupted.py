"""The bench of interrupted runs sees what is lost or half there, and finds none of a killed run."""

import shutil
from pathlib import Path

from benchmarks.hostile.interrupted import Disk, _one, checksums, running, unreadable
from helpers.project import Project, newest


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_what_is_half_there_is_seen(finished_copy: Project) -> None:
    data = finished_copy.data
    assert unreadable(data) == []
    halves = {
        "report": newest(data, "08_reporting/report.html"),
        "metrics": newest(data, "08_reporting/metrics.json"),
        "images": newest(data, "05_model_input/images.npy"),
        "surrogate_aligned": newest(data, "06_models/surrogate_aligned"),
        "concepts": newest(data, "07_model_output/concepts.parquet"),
        "causal_graph_graphml": newest(data, "07_model_output/causal_graph.graphml"),
        "distill_curves": newest(data, "08_reporting/distill_curves.csv"),
        "causal_graph.png": newest(data, "08_reporting/causal_graph.png"),
    }
    for half in halves.values():
        cut(half)
    explained = newest(data, "07_model_output/explanations")
    next(explained.glob("*/original.png")).unlink()
    found = unreadable(data)
    for name in (*halves, "explanations"):
        assert any(said.startswith(name) for said in found), (name, found)


def test_what_is_lost_or_changed_is_seen(finished_project: Project, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(finished_project.data, data)
    before = checksums(data)
    assert any(name.startswith("MLflow's run") for name in before)
    lost, changed = (
        newest(data, "08_reporting/report.html"),
        newest(data, "08_reporting/metrics.json"),
    )
    lost.unlink()
    changed.write_bytes(b"{}")
    (data / "mlflow.db").unlink()
    after = checksums(data)
    gone = {name for name in before if name not in after}
    assert gone == {lost.relative_to(data).as_posix()} | {n for n in before if "MLflow's run" in n}
    differ = {name for name in after if after[name] != before[name]}
    assert differ == {changed.relative_to(data).as_posix()}


def test_a_killed_run_leaves_all_that_was_there(finished_project: Project, tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.attach()
    try:
        shutil.copytree(finished_project.data, disk.data)
        found = _one(disk, "killed", 4.0, ("--pipelines", "prepare"))
        assert found["was_running"] and found["code"] == -9
        assert found["lost_or_half"] == []
        assert running(disk.data) == []
    finally:
        disk.detach()

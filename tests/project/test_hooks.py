"""The hooks around a run, on a pipeline of three steps with a configuration of its own."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from kedro.io import DatasetError
from kedro.pipeline import Node, Pipeline
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from pydantic import BaseModel, ConfigDict

from glance_pipeline.project.hooks import tracking_hooks as tracked
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.console_hooks import Visible, relative_to_here
from glance_pipeline.project.hooks.saved import data_version
from glance_pipeline.project.hooks.tracking_hooks import holds_more
from glance_pipeline.project.tracking import metric_buffer as tracking
from glance_pipeline.project.tracking.mlflow_store import MlflowConfiguration, MlflowStore
from glance_pipeline.support.errors import UserError
from helpers.project import PROJECT, Project

CATALOG = """
source: {type: pandas.CSVDataset, filepath: "${globals:data_root}/source.csv"}
metrics:
  type: json.JSONDataset
  filepath: ${globals:data_root}/metrics.json
  versioned: true
  metadata: {mlflow: {metrics: true, artifact_path: results}}
report: {type: text.TextDataset, filepath: "${globals:data_root}/report.html", versioned: true}
"""
PARAMETERS = """
seed: 3
compute: {threads: 1, workers: 1}
measure: {factor: 2.0, nested: {steps: 4}}
unused_here: {a: 1}
"""


PAUSE = 0.02
"""Seconds that the step ``measure`` takes at least."""


class MeasureParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")
    factor: float
    nested: dict[str, int]


def measure(source, parameters: MeasureParameters, seed: int) -> dict:
    time.sleep(PAUSE)
    for step in range(parameters.nested["steps"]):
        tracking.log_metrics({"loss": 1.0 / (step + 1)}, step)
    if parameters.factor < -1:
        raise DatasetError("Failed while saving") from UserError("there is no image 7")
    if parameters.factor < 0:
        raise ArithmeticError("a factor below 0")
    return {"fidelity": {"agreement": 0.5}, "matrix": {"a": {"size [px]": 1}}, "note": "text"}


def pipelines() -> dict[str, Pipeline]:
    inputs = ["source", "params:measure", "params:seed"]
    steps = [
        Node(measure, inputs, "metrics", name="measure_source"),
        Node(lambda metrics: f"<p>{metrics}</p>", "metrics", "report", name="write_report"),
    ]
    other = Node(lambda a: a, "params:unused_here", "other", name="other")
    return {"__default__": Pipeline(steps), "other": Pipeline([other])}


@pytest.fixture
def small(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    conf = tmp_path / "conf"
    (conf / "base").mkdir(parents=True)
    for name in ("globals.yml", "mlflow.yml"):
        (conf / "base" / name).write_text((PROJECT / "conf/test" / name).read_text())
    mlflow = conf / "base/mlflow.yml"
    mlflow.write_text(mlflow.read_text() + "experiment: tests\n")
    (conf / "base/catalog.yml").write_text(CATALOG)
    (conf / "base/parameters.yml").write_text(PARAMETERS)
    (project.data / "source.csv").write_text("a\n1\n")
    monkeypatch.setattr("glance_pipeline.pipeline_registry.register_pipelines", pipelines)
    return replace(project, conf=conf, env="base")


def small_configuration(project: Project) -> MlflowConfiguration:
    artifacts = f"{project.data}/mlruns"
    return MlflowConfiguration(
        tracking_uri=project.tracking_uri, artifact_location=artifacts, experiment="tests"
    )


def only_run(project: Project) -> tuple[MlflowClient, Run]:
    client = MlflowClient(project.tracking_uri)
    (run,) = client.search_runs([client.get_experiment_by_name("tests").experiment_id])
    return client, run


def test_a_run_is_tracked_with_parameters_versions_curves_results_and_files(small):
    began = time.perf_counter()
    small.run()
    took = time.perf_counter() - began
    client, run = only_run(small)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "whole chain"
    assert run.data.params == {
        "measure.factor": "2.0",
        "measure.nested.steps": "4",
        "seed": "3",
    }
    assert run.data.metrics["fidelity.agreement"] == 0.5
    (key,) = [key for key in run.data.metrics if key.startswith("matrix")]
    assert re.fullmatch(r"matrix\.a\.size _px_-[0-9a-f]{10}", key)
    names = client.download_artifacts(run.info.run_id, "names.json", str(small.data))
    assert json.loads(Path(names).read_text()) == {key: "matrix.a.size [px]"}
    assert run.data.metrics["run.peak_rss_mb"] > 10
    assert PAUSE <= run.data.metrics["seconds.measure_source"] < took
    curve = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in curve] == [
        (0, 1),
        (1, 0.5),
        (2, 1 / 3),
        (3, 0.25),
    ]
    assert [f.path for f in client.list_artifacts(run.info.run_id, "results")] == [
        "results/metrics.json"
    ]
    assert Path(run.info.artifact_uri).is_relative_to(small.data)


def test_a_run_names_the_code_and_the_data(small):
    small.run()
    _, run = only_run(small)
    (version,) = [path.name for path in (small.data / "metrics.json").iterdir()]
    assert run.data.tags["data.metrics"] == version == run.data.tags["kedro.save_version"]
    assert run.data.tags["data.source"].startswith("sha256:")
    assert run.data.tags["code.version"]


def test_what_is_the_users_to_mend_is_said_in_its_own_words(small):
    with pytest.raises(CannotRunError) as told:
        small.run(params={"measure": {"factor": -2.0}})
    assert str(told.value) == "there is no image 7"
    assert only_run(small)[1].info.status == "FAILED"


def test_a_folder_of_very_many_files_is_named_and_not_copied(small, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(tracked, "holds_more", lambda path, most: asked.append(most) or True)
    catalog = small.conf / "base/catalog.yml"
    catalog.write_text(catalog.read_text().replace("path: results", "path: results, most_files: 9"))
    small.run()
    client, run = only_run(small)
    assert asked == [9]
    assert run.data.tags["path.metrics"].endswith("/metrics.json")
    assert not client.list_artifacts(run.info.run_id, "results")


def test_files_are_counted_in_folders_within(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    for name in ("1", "a/2", "a/b/3"):
        (tmp_path / name).touch()
    held = [holds_more(tmp_path, files) for files in (2, 3, None)]
    assert held == [True, False, False]


def test_a_failed_run_is_marked_failed_and_keeps_its_curve(small):
    with pytest.raises(ArithmeticError):
        small.run(params={"measure": {"factor": -1.0}})
    client, run = only_run(small)
    assert run.info.status == "FAILED"
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 4
    assert tracking._buffer is None


def test_the_last_line_names_the_report(small, caplog, monkeypatch):
    monkeypatch.chdir(small.data)
    with caplog.at_level(logging.INFO, "glance_pipeline"):
        small.run()
    (version,) = [path.name for path in (small.data / "report.html").iterdir()]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("glance")]
    assert said[-1] == f"Report: report.html/{version}/report.html"
    assert "mlflow ui" in said[-2]
    assert "kedro viz" in said[-2]


def test_a_run_without_a_report_names_none(small, caplog):
    with caplog.at_level(logging.INFO, "glance_pipeline"):
        small.run(to_nodes=["measure_source"])
    assert not [r for r in caplog.records if r.getMessage().startswith("Report")]


def test_threads_are_set(small):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        small.run()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"mesure": {"factor": 1.0}}, r"'mesure' is unknown: there are \['compute', 'measure'"),
        ({"zzz": 1}, "'zzz' is unknown: there are"),
        ({"measure": {"facto": 1.0}}, "parameter measure.facto: Extra inputs"),
        (
            {"measure": {"factor": "much"}},
            "parameter measure.factor: Input should be a",
        ),
        ({"compute": {"threads": 0}}, "parameter compute.threads: Input should be greater"),
        ({"seed": "one"}, "parameter seed: Input should be a valid integer"),
        ({"compute": {"cores": 1}}, "parameter compute.cores: Extra"),
    ],
)
def test_an_unknown_or_mistyped_parameter_is_named_before_any_work(small, params, said):
    with pytest.raises(CannotRunError, match=said):
        small.run(params=params)
    assert not (small.data / "metrics.json").exists()
    assert MlflowClient(small.tracking_uri).get_experiment_by_name("tests") is None


def test_what_is_missing_is_said_before_any_work(small):
    (small.data / "source.csv").unlink()
    with pytest.raises(CannotRunError, match=r"source .*source\.csv"):
        small.run()
    with pytest.raises(CannotRunError, match=r"metrics .*\n.*Run first: kedro run"):
        small.run(from_nodes=["write_report"])
    assert MlflowClient(small.tracking_uri).get_experiment_by_name("tests") is None


def test_a_file_that_is_not_versioned_is_never_written_over(small):
    catalog = small.conf / "base/catalog.yml"
    catalog.write_text(catalog.read_text().replace('report.html", versioned: true', 'report.html"'))
    small.run()
    before = (small.data / "report.html").read_bytes()
    with pytest.raises(CannotRunError, match=r"'report' over .*report\.html"):
        small.run()
    assert (small.data / "report.html").read_bytes() == before


@pytest.mark.parametrize("asked", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_an_interrupted_run_is_marked_killed(small, tmp_path, asked):
    script = tmp_path / "interrupted.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, signal, sys, time
            from pathlib import Path
            sys.path[:0] = [sys.argv[3], sys.argv[3] + "/project"]
            import test_hooks
            from helpers.project import Project
            from kedro.pipeline import Node, Pipeline
            import glance_pipeline.pipeline_registry as registry

            # A process that was started in the background ignores it, and so do its children.
            signal.signal(signal.SIGINT, signal.default_int_handler)

            def wait(seed):
                print("waiting", flush=True)
                time.sleep(60)

            node = Node(wait, "params:seed", "nothing")
            everything = test_hooks.pipelines() | {"wait": Pipeline([node])}
            registry.register_pipelines = lambda: everything
            Project(Path(sys.argv[1]), "base", Path(sys.argv[2])).run("wait")
            """
        )
    )
    command = [
        sys.executable,
        str(script),
        str(small.data),
        str(small.conf),
        str(PROJECT / "tests"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert any(line.strip() == "waiting" for line in process.stdout)
        process.send_signal(getattr(signal, asked))
        process.wait(timeout=60)
    if asked == "SIGKILL":  # nobody could say so, until the next run starts
        assert only_run(small)[1].info.status == "RUNNING"
        MlflowStore(small_configuration(small), small.data)
    assert only_run(small)[1].info.status == "KILLED"
    assert not list((small.data / "mlflow.db.running").iterdir())


def test_a_terminal_obeys_nothing_that_is_logged(small):
    record = logging.LogRecord("a", 20, "", 1, "class %s\nline", ("\x1b[31mred\r",), None)
    with small.session() as session:
        session.load_context()
    assert Visible().filter(record)
    assert record.getMessage() == "class \\x1b[31mred\\r\nline"
    assert CannotRunError("a\x1bb\nc").format_message() == "a\\x1bb\nc"


def test_paths_outside_the_working_directory_stay_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert relative_to_here(tmp_path / "a/b") == Path("a/b")
    assert relative_to_here(Path("/somewhere/else")) == Path("/somewhere/else")


def test_a_dataset_without_a_file_has_no_version():
    from kedro.io import MemoryDataset

    assert data_version(MemoryDataset(1)) is None

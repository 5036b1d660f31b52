"""The whole chain, run once in ``conf/test``, leaves what the README promises."""

import html
import json
import re

import pytest
from mlflow.tracking import MlflowClient

from glance_pipeline.twin.networks import TwinSurrogate
from helpers.project import newest, share_of_same_class


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("06_models/surrogate_distilled", "surrogate_distilled.safetensors"),
        ("06_models/surrogate_disentangled", "surrogate_disentangled.safetensors"),
        ("06_models/surrogate_aligned", "surrogate_aligned.safetensors"),
        ("07_model_output/concepts.parquet", "concepts.parquet"),
        ("07_model_output/causal_graph.json", "causal_graph.json"),
        ("07_model_output/explanations", "explanations"),
        ("08_reporting/metrics.json", "metrics.json"),
        ("08_reporting/report.html", "report.html"),
    ],
)
def test_each_product_lies_under_its_version(finished_project, name, file):
    assert newest(finished_project.data, name).name == file


def test_nothing_is_left_of_unfinished_files(finished_project):
    assert not list(finished_project.data.rglob(".unfinished*"))


def test_what_was_trained_for_seconds_is_no_twin_and_that_is_said_first(finished_project):
    graph = finished_project.load("causal_graph")
    assert not graph.gate.passed and graph.edges == ()
    metrics = json.loads(newest(finished_project.data, "08_reporting/metrics.json").read_text())
    assert metrics["gate"]["passed"] is False
    assert metrics["gate"]["reasons"] == list(graph.gate.reasons)
    page = newest(finished_project.data, "08_reporting/report.html").read_text(encoding="utf-8")
    body = re.sub(r"<[^>]+>|\s+", " ", html.unescape(page[page.index("<body>") :]))
    assert " ".join(body.split()).startswith(f"What the classifier looks at {graph.gate}")
    explanations = list(finished_project.load("explanations"))
    assert len(explanations) == 2
    for explanation in explanations:
        assert explanation.sentence.startswith(f"Predicted {explanation.prediction.class_name} (")
        assert explanation.sentence.endswith(
            "Why cannot be told: the surrogate is no twin of this classifier."
        )
        assert explanation.warnings[0] == str(graph.gate)


def test_the_measures_that_are_promised_are_there(finished_project):
    metrics = json.loads(newest(finished_project.data, "08_reporting/metrics.json").read_text())
    assert set(metrics["fidelity"]) >= {
        "reconstruction_agreement",
        "student_agreement",
        "intervention_agreement",
        "residual_swap_agreement",
    }
    for feature in ("thickness", "intensity", "slant", "length"):
        assert feature in metrics["alignment"]["r2"]
        assert feature in metrics["effectiveness"]["mae"]
        assert feature in metrics["intervention_matrix"]
    assert metrics["reconstruction"]["l1"] > 0
    agreement = metrics["fidelity"]["student_agreement"]
    assert agreement == pytest.approx(share_of_same_class(finished_project), abs=0.02)
    assert set(metrics["disentanglement"]) >= {"mig", "sap", "dci"}
    assert set(metrics["disentanglement"]["dci"]) == {
        "disentanglement",
        "completeness",
        "informativeness",
    }
    assert metrics["axioms"]["composition_l1"] > 0
    assert metrics["axioms"]["reversibility_l1"] > 0
    for errors in ("thickness", "intensity", "slant", "reconstruction"):
        assert metrics["true_counterfactual"][errors]["mae"] > 0
        assert -1 <= metrics["true_counterfactual"][errors]["ssim"] < 1
    assert metrics["frechet"] > 0
    for stage in ("distill", "disentangle", "align"):
        assert metrics["cost"][stage]["seconds"] > 0
        assert metrics["cost"][stage]["peak_rss_mb"] > 0


def test_the_distance_of_the_graph_is_what_counting_its_edges_gives(finished_project):
    """Thickness makes digits bright; nothing else of them hangs together, and no mark is told."""
    measured = {"thickness", "intensity", "slant"}
    edges = finished_project.load("causal_graph").edges
    found = {
        frozenset((edge.source, edge.target)): "arrow" in (edge.mark_at_source, edge.mark_at_target)
        for edge in edges
        if {edge.source, edge.target} <= measured
    }
    known = frozenset(("thickness", "intensity"))
    wrong = len(found.keys() - {known}) + found.get(known, True)
    metrics = json.loads(newest(finished_project.data, "08_reporting/metrics.json").read_text())
    assert metrics["graph"]["shd"] == wrong


def test_the_report_tops_with_the_measures_of_its_own_run(finished_project):
    page = newest(finished_project.data, "08_reporting/report.html").read_text(encoding="utf-8")
    metrics = newest(finished_project.data, "08_reporting/metrics.json")
    share = json.loads(metrics.read_text())["fidelity"]["student_agreement"]
    assert f"<code>metrics.json</code>, version {metrics.parent.name}." in page
    assert f"<b>{100 * share:.0f} %</b>of held-out images get the same answer" in page


def test_the_surrogate_speaks_of_the_context_features(finished_project):
    surrogate = finished_project.load("surrogate_aligned")
    assert isinstance(surrogate, TwinSurrogate)
    assert {"thickness", "intensity", "slant", "length"} <= set(surrogate.concept_names)


def test_it_is_one_run_of_mlflow_with_a_curve_of_each_objective(finished_project):
    client = MlflowClient(finished_project.tracking_uri)
    (experiment,) = [e for e in client.search_experiments() if e.name == "glance_pipeline"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert "fidelity.student_agreement" in run.data.metrics
    assert "graph.shd" in run.data.metrics
    assert {"disentanglement.dci.completeness", "frechet"} <= set(run.data.metrics)
    for stage in ("distill", "disentangle", "align"):
        curve = client.get_metric_history(run.info.run_id, f"{stage}/reconstruction")
        assert len(curve) > 1
    found = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert found >= {"figures", "models", "reports"}
    assert run.data.params["distill.stage.steps"]

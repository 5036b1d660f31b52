"""Classes, features, units and files with the nastiest names go through the whole chain."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from helpers.project import Project, newest

FEATURES = {
    "thickness": "how thick a stroke is, " * 9,  # 207 characters
    "intensity": 'level (grey) $\\frac$ <b>&amp;</b> "q" 🦊 ../x',
    "slant": "Ratio [px] ${oc.env:HOME}\n字",
    "length": "ratio [px] ${oc.env:HOME}\n字",
}
UNITS = {FEATURES["intensity"]: "grey [levels] $/$", FEATURES["length"]: "px^2_{\u202e}"}
SCRIPT = "<script>alert(1)</script>"
CLASSES = ["a", "A", "a.", "CON", "$x$ $", "é", "e\u0301", SCRIPT, "\x1b[31m", "x" * 300]


@pytest.fixture
def nasty(finished_copy: Project) -> Project:
    """The finished project, its features and classes called otherwise."""
    call_otherwise(finished_copy)
    return finished_copy


def call_otherwise(project: Project) -> None:
    """Give features and classes of a project the nastiest names."""
    renamed = project.load("context_features").rename(columns=FEATURES)
    records, classifier = project.load("image_records"), project.load("classifier")
    called = dict(zip(classifier.class_names, CLASSES, strict=True))
    records["label"] = records["label"].map(lambda label: called[str(label)])
    classifier.specification = classifier.specification.model_copy(
        update={"class_names": tuple(CLASSES)}
    )
    with project.session() as session:
        catalog = session.load_context().catalog
        for name, data in {
            "images": project.load("images"),  # of one version with its form and records
            "image_form": project.load("image_form"),
            "context_features": renamed,
            "image_records": records,
            "classifier": classifier,
        }.items():
            catalog.save(name, data)


def test_the_chain_runs_with_the_nastiest_names(nasty: Project, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    file = folder / ("ä $x$ [1];" * 9 + "\u202e🦊.png")
    shutil.copy(
        next(newest(nasty.data, "07_model_output/explanations").glob("image_*/original.png")), file
    )
    images = [0, 1, str(folder)]
    nasty.run(
        "align",
        "discover",
        "explain",
        "evaluate",
        params={"align": {"units": UNITS}, "explain": {"images": images}},
    )
    kept_by_mlflow(nasty)
    metrics = json.loads(
        newest(nasty.data, "08_reporting/metrics.json").read_text(encoding="utf-8")
    )
    assert set(metrics["alignment"]["r2"]) == set(FEATURES.values())
    ElementTree.parse(newest(nasty.data, "07_model_output/causal_graph.graphml"))
    explained = nasty.load("explanations")
    assert len(explained) == 3
    for explanation in explained:
        assert len(explanation.strips) == len(explanation.pictures()) - 3 - len(
            explanation.counterfactuals.found
        ) + (explanation.saliency is None)
    page = newest(nasty.data, "08_reporting/report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    graph = nasty.load("causal_graph")
    assert {n.name for n in graph.nodes if n.kind == "aligned"} <= set(FEATURES.values())


def kept_by_mlflow(project: Project) -> None:
    """Assert that MLflow has every number of ``metrics.json``, and tells of what."""
    from glance_pipeline.project.tracking.mlflow_run import flatten

    client = MlflowClient(project.tracking_uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "glance_pipeline"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    path = client.download_artifacts(run.info.run_id, "names.json", str(project.data))
    names = json.loads(Path(path).read_text(encoding="utf-8"))
    told = {names.get(key, key): value for key, value in run.data.metrics.items()}
    written = json.loads(
        newest(project.data, "08_reporting/metrics.json").read_text(encoding="utf-8")
    )
    for keys, value in flatten({k: v for k, v in written.items() if k != "not_finite"}):
        if isinstance(value, int | float):
            assert told[".".join(keys)] == value
    units = {names.get(key, key): value for key, value in run.data.params.items()}
    for name, unit in UNITS.items():
        assert units[f"align.units.{name}"] == unit

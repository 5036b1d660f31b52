"""What is stale, by what it was made from: each of these was loaded without a word before."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DataCatalog, Version
from kedro_datasets.json import JSONDataset

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.project.lineage import ClassifierThen, Judgement, MadeFrom, judge_lineage
from glance_pipeline.twin.testing import MomentNetwork

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
PARAMETERS = {"seed": 0, "discover": {"search": {"alpha": 0.01}}}
EXPLAIN = ("images", "image_records", "surrogate_aligned", "concepts", "causal_graph")


def teacher(*names: str, scale: float = 1.0, **fields: Any) -> Classifier:
    network = MomentNetwork()
    with torch.no_grad():
        network.linear.weight.mul_(scale)
    specification = ClassifierSpecification(
        image_shape=(1, 8, 8), class_names=names or ("red", "green", "blue"), **fields
    )
    return Classifier(network, specification)


class Saved:
    """A folder of versions, made as runs make them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, name: str, version: str, pipeline: str, **inputs: str) -> None:
        folder = self.root / name / version
        folder.mkdir(parents=True)
        (folder / name).write_text("{}")
        MadeFrom(
            node=name,
            pipeline=pipeline,
            inputs=inputs,
            parameters={"seed": 0, "discover.search.alpha": 0.01},
            classifier=ClassifierThen.of(teacher()),
        ).write(folder)

    def catalog(self, **load: str) -> DataCatalog:
        return DataCatalog(
            {
                name: JSONDataset(
                    filepath=str(self.root / name), version=Version(load.get(name), None)
                )
                for name in (*EXPLAIN, "context_features")
            }
        )


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """Everything of one run."""
    one = Saved(tmp_path)
    for name in ("images", "image_records", "context_features"):
        one.save(name, OLD, "ingest")
    rows = {"images": OLD, "image_records": OLD}
    one.save("surrogate_aligned", OLD, "align", context_features=OLD, **rows)
    one.save("concepts", OLD, "discover", surrogate_aligned=OLD, **rows)
    one.save("causal_graph", OLD, "discover", concepts=OLD, surrogate_aligned=OLD, **rows)
    return one


def judged(
    saved: Saved, classifier: Classifier | None = None, parameters: Any = None, **load: str
) -> Judgement:
    found = saved.catalog(**load)
    return judge_lineage(EXPLAIN, (), found, classifier or teacher(), parameters or PARAMETERS)


def test_what_belongs_together_passes(saved):
    found = judged(saved)
    assert (found.refusals, found.doubts) == ([], [])
    assert found.known == {*EXPLAIN, "context_features"}


def test_class_names_in_another_order_are_refused_of_what_names_classes(saved):
    found = judged(saved, teacher("green", "red", "blue"))
    assert found.refusals == [
        f"{name} of {OLD} was made with the classes 'red', 'green', 'blue', the classifier now has "
        "'green', 'red', 'blue': run discover and what follows it again"
        for name in ("causal_graph", "concepts")
    ]


@pytest.mark.parametrize("changes", [{"scale": 1.1}, {"std": (0.5,)}, {"mean": (0.3,)}])
def test_another_classifier_is_refused(saved, changes):
    found = judged(saved, teacher(**changes))
    assert len(found.refusals) == len({*EXPLAIN, "context_features"})
    assert "was made with a classifier that answers differently: a plain picture with" in str(found)


def test_the_same_classifier_from_another_format_is_the_same(saved):
    assert not judged(saved, teacher(scale=1 + 1e-6)).refusals


def test_records_of_another_version_than_images_are_refused(saved):
    saved.save("images", NEW, "ingest")
    saved.save("image_records", NEW, "ingest")
    found = judged(saved, image_records=OLD)
    assert found.refusals[0] == (
        "images and what is known of them must be of one version, row for row: found images of "
        f"{NEW}, image_records of {OLD}; say --load-versions images:{OLD},image_records:{OLD}, or "
        "make all of them again"
    )


def test_concepts_of_other_rows_are_refused_and_a_surrogate_of_others_is_doubted(saved):
    saved.save("images", NEW, "ingest")
    saved.save("image_records", NEW, "ingest")
    found = judged(saved)
    assert (
        f"concepts of {OLD} was made from images of {OLD}, but this run loads that of {NEW}: they "
        f"do not belong together; run discover again, or say --load-versions images:{OLD}"
    ) in found.refusals
    assert any(f"surrogate_aligned of {OLD} was made from images" in one for one in found.doubts)


def test_an_older_version_that_is_asked_for_is_compared_with_what_it_was_made_from(saved):
    saved.save("surrogate_aligned", NEW, "align", context_features=OLD, images=OLD)
    assert any("concepts of" in one for one in judged(saved).refusals)
    assert not judged(saved, surrogate_aligned=OLD).refusals


def test_a_context_table_changed_after_the_training_is_told(saved):
    saved.save("context_features", NEW, "ingest")
    assert (
        f"surrogate_aligned of {OLD} was made from context_features of {OLD}, and there is one of "
        f"{NEW}: they may not belong together; run align again"
    ) in judged(saved).doubts


def test_other_parameters_are_told(saved):
    found = judged(saved, parameters={"seed": 0, "discover": {"search": {"alpha": 0.05}}})
    assert any(
        one == f"concepts of {OLD} was made with other parameters: discover.search.alpha 0.01, now "
        "0.05; run discover again where that matters"
        for one in found.doubts
    )
    assert not found.refusals


@pytest.mark.parametrize("text", [None, "", "{}", "[1", json.dumps({"node": 1})])
def test_what_says_nothing_legible_is_not_judged(saved, text):
    for path in saved.root.rglob("made_from.json"):
        path.unlink()
        if text is not None:
            path.write_text(text)
    found = judged(saved, teacher("green", "red", "blue"))
    assert (found.refusals, found.doubts, found.known) == ([], [], set())

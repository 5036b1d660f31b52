import json

import numpy as np
import pytest
from kedro.io import DataCatalog, Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.text import TextDataset

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets import OptionalDataset
from glance_pipeline.pipelines.explain import create_pipeline
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.contents import check_explained
from glance_pipeline.project.prerequisites import explain_missing
from glance_pipeline.support.errors import UserError
from helpers.explain import make_catalog


@pytest.fixture
def catalog(tmp_path):
    return make_catalog(tmp_path, {"count": 2, "steps": 3})


def test_pipeline_explains_the_first_test_images_and_writes_a_report(catalog, tmp_path):
    SequentialRunner().run(create_pipeline(), catalog)
    index = json.loads((tmp_path / "explanations/index.json").read_text())
    assert index == {"explanations": ["image_000009", "image_000010"]}
    assert "image 10: called" in (tmp_path / "report.html").read_text()


def test_report_names_the_newest_metrics_and_shows_as_many_images_as_asked_for(catalog, tmp_path):
    for version, share in (("2026-01-01", 0.5), ("2026-01-02", 0.97)):
        file = tmp_path / "metrics.json" / version / "metrics.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"fidelity": {"student_agreement": share}}))
    catalog["params:explain"] = ExplainParameters(count=2, steps=3, report_images=1)
    SequentialRunner().run(create_pipeline(), catalog)
    page = (tmp_path / "report.html").read_text()
    assert "<b>97 %</b>of held-out images get the same answer from the concepts alone" in page
    assert "version 2026-01-02" in page
    assert "image 9: called" in page and "image 10: called" not in page


def test_the_effect_is_what_the_parameter_says(catalog):
    pictures = {}
    for effect in ("direct", "causal"):
        catalog["params:explain"] = ExplainParameters(count=1, steps=3, effect=effect)
        SequentialRunner().run(create_pipeline(), catalog)
        (explanation,) = catalog.load("explanations")
        assert explanation.effect == effect
        strips = {strip.concept: strip for strip in explanation.strips}
        assert strips["size"].effect == effect
        pictures[effect] = strips
    # Tilt follows size in the only graph, and nothing follows tilt.
    assert (pictures["direct"]["size"].pictures != pictures["causal"]["size"].pictures).any()
    assert (pictures["direct"]["tilt"].pictures == pictures["causal"]["tilt"].pictures).all()


def test_same_seed_same_explanations(catalog, tmp_path):
    documents = []
    for _ in range(2):
        SequentialRunner().run(create_pipeline(), catalog)
        documents.append([e.to_document() for e in catalog.load("explanations")])
    assert documents[0] == documents[1]


def test_chosen_index_out_of_range_stops_before_any_work(catalog):
    catalog["params:explain"] = ExplainParameters(images="3 12")
    with pytest.raises(UserError, match="no image 12; 12 images are numbered 0 to 11"):
        SequentialRunner().run(create_pipeline(), catalog)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"images": 12}, "no image 12; 12 images are numbered 0 to 11"),
        ({"images": "none.png"}, "no file or folder none.png"),
        ({"target": "zebra"}, "no class 'zebra'; give runner_up, any, or the name of a class"),
    ],
)
def test_what_cannot_be_explained_is_said_before_any_work(tmp_path, parameters, told):
    catalog = make_catalog(tmp_path, parameters)
    with pytest.raises(CannotRunError, match=told):
        check_explained(create_pipeline(), catalog, catalog.load("classifier"))
    made = Node(lambda: None, None, ["images", "classifier"], name="make")
    if "none.png" not in parameters.values():  # what is not made yet cannot be checked
        check_explained(create_pipeline() + Pipeline([made]), catalog, None)


def versioned(folder, name, data, version):
    """Save a version of a dataset and return the dataset, of which the newest is loaded."""
    kind = (
        "glance_pipeline.datasets.ImageArrayDataset" if name == "images.npy" else "json.JSONDataset"
    )
    fields = {"dataset": kind, "filepath": str(folder / name)}
    OptionalDataset(**fields, version=Version(None, version)).save(data)
    return OptionalDataset(**fields, version=Version(None, None))


def test_a_file_never_takes_the_form_of_other_images(tmp_path):
    catalog = make_catalog(tmp_path, {"images": str(tmp_path)})
    (tmp_path / "seven.png").touch()
    old, new = "2026-01-01", "2026-01-02"
    images = np.zeros((12, 1, 8, 8), np.uint8)
    catalog["images"] = versioned(tmp_path, "images.npy", images, old)
    check_explained(create_pipeline(), catalog, None)  # there is no form at all: a file is squeezed
    for version in (old, new):
        form = {"channels": 1, "size": 8, "crop": 4}
        catalog["image_form"] = versioned(tmp_path, "image_form.json", form, version)
        if version == old:
            check_explained(create_pipeline(), catalog, None)
    said = f"found images of {old} and image_form of {new}"
    with pytest.raises(CannotRunError, match=said):
        check_explained(create_pipeline(), catalog, None)
    catalog["params:explain"] = ExplainParameters(images="3")  # takes no form
    check_explained(create_pipeline(), catalog, None)
    catalog["params:explain"] = ExplainParameters(images=str(tmp_path))
    catalog["images"] = versioned(tmp_path, "images.npy", images, new)
    check_explained(create_pipeline(), catalog, None)


@pytest.mark.parametrize("newer", ["images.npy", "image_form.json"])
def test_of_two_versions_the_older_is_advised_which_both_have(tmp_path, newer):
    catalog = make_catalog(tmp_path, {"images": str(tmp_path)})
    (tmp_path / "seven.png").touch()
    made = {
        "images.npy": np.zeros((12, 1, 8, 8), np.uint8),
        "image_form.json": {"channels": 1, "size": 8, "crop": 4},
    }
    old, new = "2026-01-01", "2026-01-02"
    for file, data in made.items():
        catalog[file.partition(".")[0]] = versioned(tmp_path, file, data, old)
    catalog[newer.partition(".")[0]] = versioned(tmp_path, newer, made[newer], new)
    with pytest.raises(CannotRunError, match=f"--load-versions images:{old},image_form:{old},"):
        check_explained(create_pipeline(), catalog, None)


def test_inputs_are_saved_artifacts_and_parameters_only():
    assert create_pipeline().inputs() == {
        "images", "image_form", "image_records", "surrogate_aligned", "classifier", "concepts",
        "causal_graph", "explanation_shards", "metrics", "structural_models", "params:explain",
        "params:seed",
    }  # fmt: skip


def registered():
    def make(_):
        return None

    prepare = Pipeline([Node(make, "digits", "images", name="render")])
    discover = Pipeline([Node(make, "images", "concepts", name="read")])
    explain = Pipeline([Node(make, "concepts", "report", name="explain")])
    chain = prepare + discover + explain
    return {"prepare": prepare, "discover": discover, "explain": explain, "__default__": chain}


def test_missing_inputs_are_named_with_file_and_pipeline(tmp_path):
    datasets = {
        name: TextDataset(filepath=str(tmp_path / f"{name}.txt")) for name in ("images", "concepts")
    }
    message = explain_missing(
        {"images", "concepts", "params:seed", "parameters"}, DataCatalog(datasets), registered()
    )
    assert message == (
        "This pipeline needs what is not there yet:\n"
        f"  concepts ({tmp_path}/concepts.txt), made by the pipeline discover\n"
        f"  images ({tmp_path}/images.txt), made by the pipeline prepare\n"
        "Run first: kedro run --pipeline prepare && kedro run --pipeline discover"
    )


def test_what_the_makers_are_missing_in_turn_is_run_first(tmp_path):
    names = ("images", "concepts")
    datasets = {name: TextDataset(filepath=str(tmp_path / f"{name}.txt")) for name in names}
    message = explain_missing({"concepts"}, DataCatalog(datasets), registered())
    assert message.splitlines()[1:] == [
        f"  concepts ({tmp_path}/concepts.txt), made by the pipeline discover",
        "Run first: kedro run --pipeline prepare && kedro run --pipeline discover",
    ]


def test_what_no_pipeline_makes_is_said():
    message = explain_missing({"digits"}, DataCatalog({}), registered())
    assert message.endswith("  digits (not in the catalog), which no pipeline here makes")


def test_nothing_is_said_where_everything_is_there(tmp_path):
    dataset = TextDataset(filepath=str(tmp_path / "images.txt"))
    dataset.save("here")
    assert explain_missing({"images"}, DataCatalog({"images": dataset}), registered()) is None

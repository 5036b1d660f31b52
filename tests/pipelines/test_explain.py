import json

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.text import TextDataset

from glance_pipeline.causal.graph import CausalGraph
from glance_pipeline.causal.graph import Edge as GraphEdge
from glance_pipeline.causal.graph import Node as GraphNode
from glance_pipeline.causal.records import SearchRecord
from glance_pipeline.causal.structural_model import StructuralModels
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.discover import StructuralModelParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets.explanation_folder import ExplanationFolderDataset
from glance_pipeline.pipelines.explain import create_pipeline
from glance_pipeline.prerequisites import explain_missing
from glance_pipeline.testing import tiny_classifier, tiny_surrogate


@pytest.fixture
def catalog(tmp_path):
    surrogate = tiny_surrogate()
    draws = np.random.default_rng(0)
    concepts = pd.DataFrame(draws.normal(size=(12, 3)), columns=surrogate.active_concepts)
    margins = pd.DataFrame(draws.normal(size=(12, 3)), columns=list("abc"))
    kinds = {name: surrogate.concept(name).kind for name in concepts}
    table = ConceptTable(concepts, margins, kinds, dict.fromkeys(concepts, ""))
    nodes = tuple(GraphNode(name, kinds[name], name) for name in concepts)
    edge = GraphEdge("size", "tilt", "tail", "arrow", "association")
    graph = CausalGraph(nodes, (edge,), (), SearchRecord("FCI", "z", 0.01, 0.5, 3, 2, 12, 12, 0))
    models = StructuralModels.fit(table, graph, StructuralModelParameters(permutations=0), 0)
    memory = {
        "images": draws.integers(0, 255, (12, 1, 8, 8), dtype=np.uint8),
        "image_records": pd.DataFrame({"label": ["a"] * 12, "split": ["train"] * 9 + ["test"] * 3}),
        "surrogate_aligned": surrogate,
        "classifier": tiny_classifier(),
        "concepts": table,
        "causal_graph": graph,
        "structural_models": models,
        "params:seed": 0,
        "params:explain": ExplainParameters(count=2, steps=3),
    }
    return DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in memory.items()}
        | {
            "chosen_images": MemoryDataset(copy_mode="assign"),
            "explanations": ExplanationFolderDataset(filepath=str(tmp_path / "explanations")),
            "report": TextDataset(filepath=str(tmp_path / "report.html")),
        }
    )


def test_pipeline_explains_the_first_test_images_and_writes_a_report(catalog, tmp_path):
    SequentialRunner().run(create_pipeline(), catalog)
    index = json.loads((tmp_path / "explanations/index.json").read_text())
    assert index == {"explanations": ["image_000009", "image_000010"]}
    assert "image 10: called" in (tmp_path / "report.html").read_text()


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
    with pytest.raises(ValueError, match="no image 12; 12 images are numbered 0 to 11"):
        SequentialRunner().run(create_pipeline(), catalog)


def test_inputs_are_saved_artifacts_and_parameters_only():
    assert create_pipeline().inputs() == {
        "images", "image_records", "surrogate_aligned", "classifier", "concepts", "causal_graph",
        "structural_models", "params:explain", "params:seed",
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

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from matplotlib.figure import Figure
from omegaconf import OmegaConf

from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.pipelines.discover import create_pipeline, nodes
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate

CONFIGURATION = Path(__file__).parents[2] / "conf"
OUTPUTS = (
    "concepts",
    "causal_graph",
    "causal_graph_figure",
    "causal_graph_graphml",
    "causal_graph_edges",
    "data_graph",
    "graph_comparison_figure",
    "structural_models",
)


class Kept(MemoryDataset):
    """In memory, and not released by the runner."""

    def _release(self) -> None:
        pass


def configured(environment: str) -> dict[str, Any]:
    path = CONFIGURATION / environment / "parameters_discover.yml"
    found = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(found, dict)
    return found["discover"]


@pytest.fixture(scope="module")
def discovered() -> dict[str, Any]:
    """What is found where nobody asks whether the surrogate is a twin."""
    return discover(configured("test") | {"gate": {"smallest_skill": None}})


@pytest.fixture(scope="module")
def untold() -> dict[str, Any]:
    """What is found with the gate as it is by default."""
    return discover({k: v for k, v in configured("test").items() if k != "gate"})


def discover(parameters: dict[str, Any]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    splits = np.repeat(["train", "validation", "test"], [60, 10, 20])
    inputs = {
        "surrogate_aligned": tiny_surrogate(),
        "classifier": tiny_classifier(),
        "images": rng.integers(0, 256, (90, 1, 8, 8), dtype=np.uint8),
        "image_records": pd.DataFrame({"label": 0, "split": splits}),
        "context_features": pd.DataFrame(rng.normal(size=(90, 2)), columns=["size", "tilt"]),
        "params:discover": DiscoverParameters.model_validate(parameters),
        "params:seed": 0,
        "params:compute.workers": 1,
    }
    catalog = DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in inputs.items()}
    )
    for name in OUTPUTS:
        catalog[name] = Kept(copy_mode="assign")
    SequentialRunner().run(create_pipeline(), catalog)
    return {name: catalog.load(name) for name in OUTPUTS}


def test_concepts_and_predictions_become_one_graph(discovered):
    graph = discovered["causal_graph"]
    assert len(discovered["concepts"].concepts) == 90
    assert [node.name for node in graph.nodes] == [
        "size",
        "tilt",
        "latent_1",
        "prediction:a",
        "prediction:b",
        "prediction:c",
    ]
    # Every pair of concepts and every concept with every class was examined.
    assert len(graph.edges) + len(graph.rejected) == 3 + 9
    assert graph.search.resamples == 6
    assert graph.search.rows == 90
    assert graph.intervention.images == 16  # of the 20 that are held out
    assert CausalGraph.from_json(graph.to_json()) == graph
    assert isinstance(discovered["causal_graph_figure"], Figure)


def test_the_graph_can_be_read_in_other_forms(discovered):
    graph = discovered["causal_graph"]
    pairs = {(edge.source, edge.target) for edge in graph.edges}
    assert set(discovered["causal_graph_graphml"].edges) == pairs
    table = discovered["causal_graph_edges"]
    assert set(zip(table["source"], table["target"], strict=True)) == pairs


def test_an_untrained_surrogate_is_no_twin_and_nothing_is_told_of_it(discovered, untold):
    found, graph = discovered["causal_graph"], untold["causal_graph"]
    assert found.gate.smallest is None and found.gate.passed
    assert found.gate.skill == graph.gate.skill
    assert graph.gate.smallest == 0.6 and not graph.gate.passed
    assert graph.edges == () and graph.interactions == ()
    assert {edge.verdict for edge in graph.rejected} == {None, "cannot_be_told"}
    assert len(graph.rejected) == 3 + 9
    assert untold["causal_graph_edges"].empty
    assert not untold["causal_graph_graphml"].edges
    written = [text.get_text() for text in untold["causal_graph_figure"].axes[0].texts]
    assert any(text.startswith("Nothing can be told") for text in written)
    assert len(untold["structural_models"].allowed.graphs) == 1


def test_the_data_has_a_graph_of_its_own(discovered):
    graph = discovered["data_graph"]
    assert [node.name for node in graph.nodes] == ["size", "tilt"]
    assert len(graph.edges) + len(graph.rejected) == 1
    assert (graph.search.resamples, graph.search.rows) == (6, 90)
    assert isinstance(discovered["graph_comparison_figure"], Figure)


def test_predictions_have_curves_and_concepts_have_models(discovered):
    graph, models = discovered["causal_graph"], discovered["structural_models"]
    curves = [e.dose_response for e in (*graph.edges, *graph.rejected) if e.verdict]
    assert [len(curve.values) for curve in curves] == [3] * 9
    assert graph.intervention.curve_tests == 9
    assert graph.intervention.interaction_tests <= 2 * 3
    assert models.nodes == ("size", "tilt", "latent_1")
    assert models.falsification is None or models.falsification.permutations == 2
    rows = discovered["concepts"].concepts.iloc[:4]
    imagined = models.counterfactual(rows, {"size": 3.0})
    assert len(imagined) == len(models.allowed.graphs) > 0
    for found in imagined:
        assert (found["size"] == 3.0).all()


def test_interventions_need_held_out_images(discovered):
    records = pd.DataFrame({"split": ["train"] * 90})
    images = np.zeros((90, 1, 8, 8), np.uint8)
    settings = DiscoverParameters()
    with pytest.raises(ValueError, match="0 images have the split 'test'"):
        nodes.judge_the_twin(tiny_surrogate(), tiny_classifier(), images, records, settings, 0)
    with pytest.raises(ValueError, match="0 images have the split 'test'"):
        nodes.test_concepts_by_intervention(
            graph=discovered["causal_graph"],
            gate=discovered["causal_graph"].gate,
            concepts=discovered["concepts"],
            surrogate=tiny_surrogate(),
            classifier=tiny_classifier(),
            images=images,
            records=records,
            context_features=pd.DataFrame(index=range(len(images))),
            parameters=settings,
            seed=0,
        )


def test_defaults_are_those_of_the_base_environment():
    assert DiscoverParameters.model_validate(configured("base")) == DiscoverParameters()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"serch": {}}, "serch\n.*Extra inputs are not permitted"),
        ({"search": {"resamples": 0}}, "search.resamples\n.*greater than or equal to 1"),
        ({"search": {"alpha": 1.5}}, "search.alpha\n.*less than 1"),
        ({"intervention": {"step": "big"}}, "intervention.step\n.*valid number"),
    ],
)
def test_wrong_parameters_are_named_before_the_first_node(changes, message):
    with pytest.raises(ParameterValidationError, match=f"(?s)Parameter 'discover'.*{message}"):
        ParameterValidator({"discover": create_pipeline()}).validate_raw_params(
            {"discover": changes}
        )

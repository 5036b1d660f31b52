"""Every fit, format, colour and precision through all of evaluate, explain and the report.

Of the 300 combinations 30 are run, so chosen that every pair of two of the four comes up.
"""

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from glance_pipeline.config.discover import StructuralModelParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.support import compute
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.testing import tiny_surrogate
from helpers.chain import chain_catalog, pipelines
from helpers.image_formats import FORMATS, load

FITS: dict[str, dict[str, Any]] = {
    "none": {},
    "resize up": {"input_size": [13, 13], "fit": "resize"},
    "resize down": {"input_size": [5, 5], "fit": "resize"},
    "crop": {"input_size": [6, 6], "fit": "crop"},
    "pad": {"input_size": [12, 12], "fit": "pad"},
}
COLOURS: dict[str, tuple[int, str | None, int]] = {  # of images, said, of the network
    "grey": (1, None, 1),
    "grey as rgb": (1, "rgb", 3),
    "rgb": (3, None, 3),
    "bgr": (3, "bgr", 3),
    "rgb as grey": (3, "grey", 1),
}
PRECISIONS = ("float32", "bfloat16")
CASES = [
    (fit, form, list(COLOURS)[(i + j) % 5], PRECISIONS[(i + (i + 2 * j) // 5 + j) % 2])
    for i, fit in enumerate(FITS)
    for j, form in enumerate(FORMATS)
]
EXPLAIN = ExplainParameters.model_validate(
    {
        "count": 2,
        "steps": 2,
        "number_of_counterfactuals": 1,
        "search": {"largest": 2, "halvings": 1},
        "importance": {"backgrounds": 2},
        "saliency": {"paths": 2, "steps": 1},
    }
)


def test_every_pair_comes_up():
    found = {pair for case in CASES for pair in itertools.combinations(case, 2)}
    axes: list[Iterable[Any]] = [FITS, FORMATS, COLOURS, PRECISIONS]
    wanted = {
        pair
        for one, other in itertools.combinations(axes, 2)
        for pair in itertools.product(one, other)
    }
    assert wanted <= found


@pytest.fixture(scope="module")
def trained() -> dict[int, dict[str, Any]]:
    """What the training and ``discover`` would have left, by the channels of the images."""
    return {channels: _trained(channels) for channels in (1, 3)}


def _trained(channels: int) -> dict[str, Any]:
    surrogate = tiny_surrogate(channels=channels)
    draws = np.random.default_rng(0)
    values = pd.DataFrame(draws.normal(size=(90, 3)), columns=surrogate.active_concepts)
    margins = pd.DataFrame(draws.normal(size=(90, 3)), columns=list("abc"))
    kinds = {name: surrogate.concept(name).kind for name in values}
    table = ConceptTable(values, margins, kinds, dict.fromkeys(values, ""))
    nodes = tuple(Node(name, kinds[name], name) for name in values)
    edges = (Edge("size", "tilt", "tail", "arrow", "association"),)
    graph = CausalGraph(nodes, edges, (), SearchRecord("FCI", "z", 0.01, 0.5, 3, 2, 90, 90, 0))
    return {
        "surrogate_aligned": surrogate,
        "concepts": table,
        "causal_graph": graph,
        "structural_models": StructuralModels.fit(
            table, graph, StructuralModelParameters(permutations=0), 0
        ),
        "context_features": pd.DataFrame(draws.normal(size=(90, 2)), columns=["size", "tilt"]),
        "distill_cost": {"seconds": 1.0},
        "disentangle_cost": {"seconds": 1.0},
        "align_cost": {"seconds": 1.0},
        "params:explain": EXPLAIN,
    }


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_chain_ends_in_a_report(
    case: tuple[str, str, str, compute.Precision],
    tmp_path: Path,
    trained: dict[int, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit, form, colour, precision = case
    monkeypatch.setattr(compute, "_chosen", compute._Chosen(torch.device("cpu"), 1, precision))
    channels, said, taken = COLOURS[colour]
    specification: dict[str, Any] = {
        "image_shape": [channels, 8, 8],
        "class_names": ["a", "b", "c"],
        "mean": [0.4],
        "std": [0.3],
        **FITS[fit],
    }
    if said is not None:
        specification["colour"] = said
    classifier = load(form, tmp_path, specification, taken)
    catalog = chain_catalog(tmp_path, classifier, trained[channels])
    found = _run(catalog)
    assert math.isfinite(found["fidelity"]["reconstruction_agreement"])
    assert math.isfinite(found["frechet"])
    explanations = list(catalog.load("explanations"))
    assert len(explanations) == 2
    for explanation in explanations:
        assert math.isfinite(explanation.prediction.probability)
    assert catalog.load("report").rstrip().endswith("</html>")


def _run(catalog: DataCatalog) -> dict[str, Any]:
    """Run ``evaluate`` and ``explain``; return the metrics."""
    torch.set_num_threads(1)
    parts = pipelines()
    both: Pipeline = parts["evaluate"] + parts["explain"]
    SequentialRunner().run(both, catalog)
    found: dict[str, Any] = catalog.load("metrics")
    return found

"""Without a context table every concept is latent, and the chain runs all the same."""

import json

import pandas as pd
import pytest
import torch

from glance_pipeline.config.align import ReaderParameters
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.objectives.feature_error import mean_feature_error
from glance_pipeline.twin.training.reader_training import train_reader
from helpers.project import newest


def test_there_is_nothing_to_standardise():
    records = pd.DataFrame({"split": ["train", "test"]})
    context, concepts = standardise_context(pd.DataFrame(index=range(2)), records, {})
    assert context.shape == (2, 0)
    assert concepts == []
    with pytest.raises(ValueError, match="found 0 rows, wanted 2"):
        standardise_context(pd.DataFrame(), records, {})


def test_a_reader_of_nothing_is_not_trained():
    images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8).numpy()
    parameters = ReaderParameters(widths=(4, 4), hidden=4)
    reader = train_reader(images, torch.empty(2, 0), [], parameters, 0)
    assert reader(torch.zeros(2, 1, 8, 8)).shape == (2, 0)


def test_the_error_of_no_feature_is_0_and_not_undefined():
    found = torch.zeros(3, 0, requires_grad=True)
    error = mean_feature_error(found, torch.empty(3, 0), ())
    assert float(error.detach()) == 0
    error.backward()


def test_the_chain_runs_with_latent_concepts_only(finished_copy):
    records = finished_copy.load("image_records")
    table = newest(finished_copy.data, "05_model_input/context_features.parquet")
    pd.DataFrame(index=records.index).to_parquet(table, index=True)
    assert finished_copy.load("context_features").shape == (len(records), 0)
    finished_copy.run("align", "discover", "explain", "evaluate")
    surrogate = finished_copy.load("surrogate_aligned")
    assert {concept.kind for concept in surrogate.concepts} == {"latent"}
    before = finished_copy.load("surrogate_disentangled")
    assert surrogate.shape == before.shape
    graph = finished_copy.load("causal_graph")
    assert {node.kind for node in graph.nodes} == {"latent", "prediction"}
    assert finished_copy.load("data_graph").nodes == ()
    metrics = json.loads(newest(finished_copy.data, "08_reporting/metrics.json").read_text())
    assert metrics["alignment"] == {"r2": {}}
    assert "intervention_matrix" not in metrics
    assert "disentanglement" not in metrics
    assert set(metrics["axioms"]) == {"composition_l1"}
    assert metrics["fidelity"]["student_agreement"] >= 0

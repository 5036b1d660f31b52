import logging

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.data_graph import discover_data_graph, measured_concepts
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.twin.networks import Concept

FEW = GraphSearchParameters(resamples=5, reexamination=None)
CONCEPTS = [
    Concept("a", "aligned", "px"),
    Concept("b", "aligned"),
    Concept("c", "aligned"),
    Concept("latent_1", "latent"),
]


def collider(rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    """a → c ← b."""
    a, b, noise = np.random.default_rng(seed).normal(size=(3, rows))
    return pd.DataFrame({"a": a, "b": b, "c": a + b + noise})


def discovered(context: pd.DataFrame, concepts=CONCEPTS, seed: int = 0):
    return discover_data_graph(measured_concepts(context, concepts), FEW, seed, workers=1)


def test_measured_features_in_the_columns_of_their_concepts():
    context = pd.DataFrame(
        {
            "colour": ["red", None, "green", "red"],
            "smiles": [True, False, True, None],
            "age": [1, 2, 3, 4],
        }
    )
    concepts = [
        Concept("age", "aligned", "years"),
        Concept("smiles", "aligned", measure="binary", levels=("False", "True")),
        Concept("colour=green", "aligned", measure="categorical", feature="colour",
                levels=("green",)),
        Concept("colour=red", "aligned", measure="categorical", feature="colour", levels=("red",)),
        Concept("latent_1", "latent"),
    ]  # fmt: skip
    table = measured_concepts(context, concepts)
    nan = np.nan
    wanted = {
        "age": [1.0, 2, 3, 4],
        "smiles": [1.0, 0, 1, nan],
        "colour=green": [0.0, nan, 1, 0],
        "colour=red": [1.0, nan, 0, 1],
    }
    pd.testing.assert_frame_equal(table.concepts, pd.DataFrame(wanted))
    assert table.units["age"] == "years"
    assert table.features == {"colour=green": "colour", "colour=red": "colour"}
    assert table.margins.shape == (4, 0)


def test_a_feature_that_is_no_column_is_named():
    with pytest.raises(ValueError, match=r"'c' was aligned with 'c', found the columns \['a'"):
        measured_concepts(collider()[["a", "b"]], CONCEPTS)


def test_the_collider_is_found_in_the_data():
    graph = discovered(collider())
    assert sorted(map(str, graph.edges)) == ["a o-> c", "b o-> c"]
    assert [(node.name, node.unit) for node in graph.nodes] == [("a", "px"), ("b", ""), ("c", "")]


def test_resamples_are_of_a_stream_of_their_own_and_hang_on_the_seed():
    table = measured_concepts(collider(), CONCEPTS)
    own = discover_data_graph(table, FEW, 0, 1)
    assert own == discover_data_graph(table, FEW, 0, 1)
    interval = own.edges[0].association
    for other in (discover_concept_graph(table, FEW, 0, 1), discover_data_graph(table, FEW, 1, 1)):
        assert other.edges[0].association.value == interval.value
        assert other.edges[0].association.low != interval.low


def test_rows_that_lack_a_value_take_no_part(caplog):
    context = collider()
    context.loc[:99, "b"] = np.nan
    with caplog.at_level(logging.WARNING):
        graph = discovered(context)
    assert graph.search.rows == 900
    assert graph.search.rows_per_resample == 900
    assert sorted(map(str, graph.edges)) == ["a o-> c", "b o-> c"]
    assert "Data graph: 100 of 1000 images lack a value and take no part." in caplog.text


def test_a_feature_without_any_value_has_no_edges(caplog):
    context = collider()
    context["b"] = np.nan
    with caplog.at_level(logging.WARNING):
        graph = discovered(context)
    assert [str(edge) for edge in graph.edges] == ["a o-o c"]
    assert [node.name for node in graph.nodes] == ["a", "b", "c"]
    assert graph.search.exclusions == {"b": "no value is known"}
    assert graph.search.rows == 1000
    assert "Data graph: no value of 'b' is known; it has no edges." in caplog.text


def test_without_any_values_there_are_no_edges(caplog):
    context = pd.DataFrame(np.nan, index=range(100), columns=list("abc"))
    with caplog.at_level(logging.WARNING):
        graph = discovered(context)
    assert graph.edges == ()
    assert len(graph.nodes) == 3
    assert set(graph.search.exclusions) == {"a", "b", "c"}


def test_too_few_complete_rows_are_a_warning(caplog):
    context = collider(rows=100)
    context.loc[20:, "a"] = np.nan
    with caplog.at_level(logging.WARNING):
        graph = discovered(context)
    assert graph.edges == ()
    reason = "20 images have all values, wanted at least 30"
    assert graph.search.exclusions == dict.fromkeys("abc", reason)
    assert f"Data graph: it has no edges: {reason}." in caplog.text


def test_a_categorical_feature_is_one_node():
    context = collider()
    context["b"] = np.select([context["b"] < -0.5, context["b"] < 0.5], ["low", "middle"], "high")
    levels = [
        Concept(f"b={level}", "aligned", measure="categorical", feature="b", levels=(level,))
        for level in ("high", "low", "middle")
    ]
    concepts = [CONCEPTS[0], *levels, CONCEPTS[2]]
    graph = discovered(context, concepts)
    assert [(node.name, node.levels) for node in graph.nodes] == [
        ("a", ()),
        ("b", ("high", "low", "middle")),
        ("c", ()),
    ]
    assert sorted(map(str, graph.edges)) == ["a o-> c", "b o-> c"]
    missing = discovered(context.assign(b=None), concepts)
    assert [node.levels for node in missing.nodes] == [(), ("high", "low", "middle"), ()]
    assert missing.search.exclusions == {"b": "no value is known"}


def test_knowledge_of_features_counts_and_that_of_others_is_left_aside():
    table = measured_concepts(collider(), CONCEPTS)
    knowledge = Knowledge(
        required=(("a", "c"), ("latent_1", "c")), tiers=(("a",), ("latent_1",), ("c",))
    )
    graph = discover_data_graph(table, FEW, 0, 1, knowledge)
    assert "a --> c" in map(str, graph.edges)
    assert graph.search.knowledge == (
        "Required: a causes c.",
        "Tiers: a, then c; nothing later causes anything earlier.",
    )

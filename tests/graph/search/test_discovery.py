import logging

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.bootstrap import Resamples
from glance_pipeline.graph.search.columns import check_rows, normal_scores
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.graph.search.majority import summarise
from glance_pipeline.twin.concept_table import ConceptTable
from helpers.tables import normal, table

FEW = GraphSearchParameters(resamples=10, reexamination=None)


def collider(seed: int) -> ConceptTable:
    """a → c ← b, through a saturating link, and d apart."""
    a, b, noise, d = normal(seed, columns=4)
    return table(a=a, b=b, c=1 / (1 + np.exp(-(a + b + noise))), d=np.exp(d))


@pytest.mark.parametrize("seed", [0, 1])
def test_collider_is_found_with_both_arrowheads(seed):
    graph = discover_concept_graph(collider(seed), FEW, seed, workers=1)
    assert sorted(map(str, graph.edges)) == ["a o-> c", "b o-> c"]
    for edge in graph.edges:
        assert edge.frequency == 1.0
        assert edge.target_marks["arrow"] >= 0.9
        assert edge.association.low < edge.association.value < edge.association.high
        assert edge.strength == pytest.approx(0.55, abs=0.06)
    assert len(graph.rejected) == 4


def test_chain_is_left_open():
    a, e, f = normal(0)
    graph = discover_concept_graph(table(a=a, b=a + e, c=a + e + f), FEW, 0, workers=1)
    assert sorted(map(str, graph.edges)) == ["a o-o b", "b o-o c"]


def test_independent_columns_have_no_edge():
    columns = dict(zip("abcdef", normal(3, columns=6), strict=True))
    graph = discover_concept_graph(table(**columns), FEW, 0, workers=1)
    assert graph.edges == ()
    assert len(graph.rejected) == 15


def test_majority_by_hand():
    """Four resamples of two columns: x → y, x o-> y, x o-o y, nothing."""
    marks = np.zeros((4, 2, 2), np.int8)
    for k, (at_x, at_y) in enumerate([(-1, 1), (2, 1), (2, 2)]):
        marks[k, 1, 0], marks[k, 0, 1] = at_x, at_y
    correlations = np.stack([[[1, r], [r, 1]] for r in (0.1, 0.2, 0.3, 0.4)])
    (edge,) = summarise(["x", "y"], correlations[1], Resamples(marks, correlations, marks != 0))
    assert str(edge) == "x o-> y"
    assert edge.frequency == 0.75
    assert edge.source_marks == {"tail": 1 / 3, "arrow": 0.0, "circle": 2 / 3}
    assert edge.target_marks == {"tail": 0.0, "arrow": 2 / 3, "circle": 1 / 3}
    assert edge.association.value == 0.2
    # The node without an arrowhead is the source, whichever column came first.
    swapped = marks.transpose(0, 2, 1)
    (turned,) = summarise(
        ["y", "x"], correlations[1], Resamples(swapped, correlations, swapped != 0)
    )
    assert str(turned) == "x o-> y"


def test_normal_scores_by_hand():
    scores = normal_scores(np.array([[10.0], [1.0], [3.0]]))
    assert scores[:, 0] == pytest.approx([0.6745, -0.6745, 0.0], abs=1e-4)


def test_useless_columns_are_excluded_and_reported(caplog):
    a, b, _ = normal(0)
    given = table(a=a, flat=np.full(2000, 3.0), b=b, twin=np.exp(-a), sum=a + b)
    with caplog.at_level(logging.WARNING):
        graph = discover_concept_graph(
            given, GraphSearchParameters(resamples=2, reexamination=None), 0, workers=1
        )
    reasons = graph.search.exclusions
    assert reasons["flat"] == "constant"
    assert reasons["twin"] == "duplicate of 'a' (rank correlation -1.0000)"
    assert reasons["sum"].startswith("determined by the concepts before it (R² = 0.99")
    assert set(reasons) == {"flat", "twin", "sum"}
    assert "Concept 'flat' is left out of the causal search: constant." in caplog.text
    assert [node.name for node in graph.nodes] == ["a", "flat", "b", "twin", "sum"]


def test_one_usable_concept_makes_a_graph_without_edges():
    graph = discover_concept_graph(table(a=normal(0)[0], b=np.ones(2000)), FEW, 0, workers=1)
    assert graph.edges == ()
    assert len(graph.nodes) == 2


def test_broken_values_and_too_few_rows():
    a, b, c = normal(0, rows=40)
    with pytest.raises(ValueError, match=r"missing or infinite rows: {'b': 1, 'c': 2}"):
        b, c = b.copy(), c.copy()
        b[3], c[:2] = np.nan, np.inf
        check_rows(pd.DataFrame({"a": a, "b": b, "c": c}))
    with pytest.raises(ValueError, match="over 2 concepts needs at least 30 rows"):
        check_rows(pd.DataFrame({"a": a, "b": a**2})[:29])

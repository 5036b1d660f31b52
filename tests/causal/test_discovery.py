import logging

import numpy as np
import pandas as pd
import pytest
from causallearn.utils.cit import FisherZ

from glance_pipeline.causal.bootstrap import Resamples, effective_rows, search_resamples
from glance_pipeline.causal.columns import normal_scores, usable_columns
from glance_pipeline.causal.discovery import discover_concept_graph, summarise
from glance_pipeline.causal.fci_search import ResampledFisherZ, search
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.discover import SearchParameters

FEW = SearchParameters(resamples=10)


def table(**columns: np.ndarray) -> ConceptTable:
    frame = pd.DataFrame(columns)
    kinds, units = dict.fromkeys(columns, "aligned"), dict.fromkeys(columns, "px")
    return ConceptTable(frame, pd.DataFrame(index=frame.index), kinds, units)


def normal(seed: int, rows: int = 2000, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(columns, rows))


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


def test_test_is_at_its_level_on_resamples():
    """Without the effective number of rows 7 % of unrelated pairs pass a level of 1 %."""
    passed, rounds = 0, 300
    for k in range(rounds):
        rng = np.random.default_rng(k)
        rows = rng.normal(size=(200, 2))[rng.integers(200, size=200)]
        passed += ResampledFisherZ(rows, effective_rows=100, largest_set=0)(0, 1) < 0.05
    assert 0.03 <= passed / rounds <= 0.075


def test_p_value_is_fishers():
    rows = normal(1, rows=50).T
    ours = ResampledFisherZ(rows, effective_rows=50, largest_set=1)
    assert ours(0, 1, (2,)) == pytest.approx(FisherZ(rows)(0, 1, (2,)))
    assert ResampledFisherZ(rows, effective_rows=50, largest_set=0)(0, 1, (2,)) == 0.0


def test_effective_rows():
    assert effective_rows(100, 100) == pytest.approx(50)
    assert effective_rows(300, 100) == pytest.approx(75)


def test_same_result_for_any_number_of_workers():
    """Dense columns, so that FCI walks through sets whose order depends on hashes."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(600, 7)) + 0.6 * rng.normal(size=(600, 3)) @ rng.normal(size=(3, 7))
    settings = SearchParameters(resamples=4, rows_per_resample=400)
    one, two = (search_resamples(scores, settings, 5, workers) for workers in (1, 2))
    assert np.array_equal(one.marks, two.marks)
    assert np.allclose(one.correlations, two.correlations, atol=1e-12)
    assert not np.array_equal(one.correlations[0], one.correlations[1])


def test_nothing_is_printed(capfd):
    a, b, noise, d = normal(0, rows=500, columns=4)
    search(np.stack([a, b, a + b + noise, a + b + noise + 0.5 * d], 1), 0.01, 2, 500.0)
    assert capfd.readouterr() == ("", "")


def test_majority_by_hand():
    """Four resamples of two columns: x → y, x o-> y, x o-o y, nothing."""
    marks = np.zeros((4, 2, 2), np.int8)
    for k, (at_x, at_y) in enumerate([(-1, 1), (2, 1), (2, 2)]):
        marks[k, 1, 0], marks[k, 0, 1] = at_x, at_y
    correlations = np.stack([[[1, r], [r, 1]] for r in (0.1, 0.2, 0.3, 0.4)])
    (edge,) = summarise(["x", "y"], correlations[1], Resamples(marks, correlations))
    assert str(edge) == "x o-> y"
    assert edge.frequency == 0.75
    assert edge.source_marks == {"tail": 1 / 3, "arrow": 0.0, "circle": 2 / 3}
    assert edge.target_marks == {"tail": 0.0, "arrow": 2 / 3, "circle": 1 / 3}
    assert edge.association.value == 0.2
    # The node without an arrowhead is the source, whichever column came first.
    (turned,) = summarise(
        ["y", "x"], correlations[1], Resamples(marks.transpose(0, 2, 1), correlations)
    )
    assert str(turned) == "x o-> y"


def test_normal_scores_by_hand():
    scores = normal_scores(np.array([[10.0], [1.0], [3.0]]))
    assert scores[:, 0] == pytest.approx([0.6745, -0.6745, 0.0], abs=1e-4)


def test_useless_columns_are_excluded_and_reported(caplog):
    a, b, _ = normal(0)
    given = table(a=a, flat=np.full(2000, 3.0), b=b, twin=np.exp(-a), sum=a + b)
    with caplog.at_level(logging.WARNING):
        graph = discover_concept_graph(given, SearchParameters(resamples=2), 0, workers=1)
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
        usable_columns(pd.DataFrame({"a": a, "b": b, "c": c}))
    with pytest.raises(ValueError, match="over 2 concepts needs at least 30 rows"):
        usable_columns(pd.DataFrame({"a": a, "b": a**2})[:29])

import numpy as np
import pytest

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.causal_graph import Edge
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.graph.search.nonparametric import RandomizedTest
from glance_pipeline.graph.search.reexamination import conditioning_sets
from helpers.tables import ConceptTable, normal, table

QUICK = GraphSearchParameters(resamples=6, reexamination_rows=1500, reexamination_sets=6)


def bent(seed: int = 0) -> ConceptTable:
    """z drives x and y along a bent line each: given z they are independent, but not linearly."""
    z, e, f = normal(seed)
    return table(z=z, x=np.abs(z) + z + 0.4 * e, y=z**2 - z + 0.4 * f)


def test_edge_that_only_a_bent_cause_makes_is_dropped():
    without = discover_concept_graph(bent(), QUICK.model_copy(update={"reexamination": None}), 0, 1)
    assert without.between("x", "y") is not None
    assert without.search.reexamination_test == ""
    graph = discover_concept_graph(bent(), QUICK, 0, 1)
    assert graph.between("x", "y") is None
    (dropped,) = [edge for edge in graph.rejected if {edge.source, edge.target} == {"x", "y"}]
    assert not dropped.reexamination.kept
    assert dropped.reexamination.given == ("z",)
    assert dropped.reexamination.p_value > 0.01
    assert dropped.frequency >= 0.5
    for name in ("x", "y"):
        assert graph.between("z", name).reexamination.p_value <= 0.01
    assert graph.search.reexamination_test == "RCIT (causal-learn)"


def test_edge_that_is_required_stays():
    graph = discover_concept_graph(bent(), QUICK, 0, 1, Knowledge(required=[["x", "y"]]))
    edge = graph.between("x", "y")
    assert str(edge) == "x --> y"
    assert edge.reexamination.kept
    assert edge.reexamination.p_value > 0.01


def test_pair_without_neighbours_is_not_examined():
    a, b, _ = normal(0)
    graph = discover_concept_graph(table(a=a, b=a + b), QUICK, 0, 1)
    assert graph.edges[0].reexamination is None


def test_too_few_rows_are_not_re_examined(caplog):
    a, b, c = normal(0, rows=499)
    graph = discover_concept_graph(table(a=a, b=a + b, c=a + b + c), QUICK, 0, 1)
    assert graph.search.reexamination_test == ""
    assert {edge.reexamination for edge in graph.edges} == {None}
    assert "not re-examined: that takes at least 500 rows, there are 499" in caplog.text


def test_conditioning_sets_by_hand():
    """x – y, x – a (0.9), x – b (0.5), y – c (0.7): a, c, b; of pairs a and b, both beside x."""

    def edge(source, target, strength):
        estimate = Estimate(strength, 0.0, 1.0, "correlation", strength)
        return Edge(source, target, "circle", "circle", "association", estimate)

    pair = edge("x", "y", 0.8)
    beside = [edge("x", "a", -0.9), edge("b", "x", 0.5), edge("y", "c", 0.7), edge("b", "c", 1.0)]
    assert conditioning_sets(pair, [pair, *beside], 3, 9) == [("a",), ("c",), ("b",), ("a", "b")]
    assert conditioning_sets(pair, [pair, *beside], 1, 2) == [("a",), ("c",)]
    assert conditioning_sets(pair, [pair], 3, 9) == []


@pytest.mark.parametrize(("link", "low", "high"), [(0.0, 0.0, 0.15), (0.15, 0.9, 1.0)])
def test_level_and_power_of_the_test(link, low, high):
    """At a level of 5 %, given a bent common cause: without a link, and with a weak one."""
    passed, rounds = 0, 40
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        z, e, f = rng.normal(size=(3, 1500, 1))
        x = np.sin(2 * z) + 0.5 * e
        test = RandomizedTest(np.random.default_rng(seed))
        passed += test(x, z**2 / 2 + 0.5 * f + link * e, z) <= 0.05
    assert low <= passed / rounds <= high


def test_test_draws_from_its_generator_alone():
    x, y, z = normal(0, rows=300)[:, :, None]
    first = RandomizedTest(np.random.default_rng(1))(x, y, z)
    np.random.seed(5)  # noqa: NPY002
    assert RandomizedTest(np.random.default_rng(1))(x, y, z) == first
    assert RandomizedTest(np.random.default_rng(2))(x, y, z) != first


def test_test_leaves_out_what_does_not_vary():
    x, y, z = normal(0, rows=300)[:, :, None]
    flat = np.ones((300, 1))
    one, other = (RandomizedTest(np.random.default_rng(1)) for _ in range(2))
    assert one(np.hstack([x, flat]), y, z) == other(x, y, z)
    assert one(flat, y, z) == 1.0
    with pytest.raises(ValueError, match="do not vary"):
        one(x, y, flat)


def test_label_that_hardly_any_row_has_is_not_examined():
    """Five images with a label would pass for unrelated to what the label moves."""
    x, e, f = normal(3)
    label = np.zeros(2000)
    label[-5:] = 1.0
    y = x + 50 * label + e
    graph = discover_concept_graph(table(label=label, x=x, y=y, z=x + f), QUICK, 0, 1)
    assert graph.between("label", "y").reexamination is None
    assert graph.between("x", "z").reexamination.given == ("y",)
    assert graph.between("x", "y").reexamination.given == ("z",)


@pytest.mark.parametrize("end", [0, 1, 2])
def test_label_that_the_first_rows_lack(end, recwarn):
    """Kernel widths are taken from the first 500 rows."""
    x, e, f = normal(4)
    label = np.zeros(2000)
    label[1000:1200] = 1.0
    y = x + 2 * label + e
    columns = [column[:, None] for column in (label, y, x)]
    test = RandomizedTest(np.random.default_rng(0))
    assert test(*columns) <= 0.01
    # Each two of the three depend on each other given the third, which y is made of or makes.
    assert test(*columns[end:], *columns[:end]) <= 0.01
    assert test(columns[0], (x + f)[:, None], columns[2]) > 0.001
    assert not recwarn.list

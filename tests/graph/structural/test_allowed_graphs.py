import logging
from itertools import combinations, product

import networkx as nx
import pytest

from benchmarks.graph.known_models import random_model
from benchmarks.graph.truth import truth_of
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.graph.structural.allowed_graphs import allowed_graphs, options

MARKS = {"-": "tail", "<": "arrow", ">": "arrow", "o": "circle"}
SEARCH = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0)


def edge(text: str, frequency: float = 1.0) -> Edge:
    """Read ``a o-> b``."""
    source, marks, target = text.split()
    return Edge(
        source, target, MARKS[marks[0]], MARKS[marks[-1]], "association", frequency=frequency
    )


def graph(*edges: str | Edge) -> CausalGraph:
    read = [edge(e) if isinstance(e, str) else e for e in edges]
    names = sorted({name for e in read for name in (e.source, e.target)})
    return CausalGraph(tuple(Node(n, "aligned", n) for n in names), tuple(read), (), SEARCH)


def found(*edges: str | Edge, largest: int = 50) -> set[str]:
    """Return the allowed graphs as ``ab bc``."""
    g = graph(*edges)
    allowed = allowed_graphs(g, [n.name for n in g.nodes], largest, 0)
    assert allowed.complete
    assert len(set(allowed.graphs)) == len(allowed.graphs)
    return {" ".join(a + b for a, b in dag) for dag in allowed.graphs}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a --> b", ["forward"]),
        ("a o-> b", ["forward", "none"]),
        ("a <-> b", ["none"]),
        ("a o-o b", ["forward", "backward"]),
        ("a -o b", ["forward"]),
        ("a <-o b", ["backward", "none"]),
        ("a -- b", ["forward", "backward"]),
    ],
)
def test_what_the_marks_of_an_edge_allow(text, wanted):
    assert options(edge(text)) == wanted


@pytest.mark.parametrize(
    ("edges", "wanted"),
    [
        (["a o-o b"], {"ab", "ba"}),
        (["a o-> b"], {"ab", ""}),
        # A chain that is no collider has three graphs, not the collider.
        (["a o-o b", "b o-o c"], {"ab bc", "ba bc", "ba cb"}),
        # A collider stays one, with or without arrows.
        (["a o-> b", "c o-> b"], {"ab cb", "ab", "cb", ""}),
        # Orienting a - b as a → b makes no collider at b, for a and c are joined.
        (["a o-o b", "b o-o c", "a o-o c"], {"ab bc ac", "ab cb ac", "ba bc ac", "ba bc ca",
                                             "ab cb ca", "ba cb ca"}),
        # No hidden cause at b: with b → c settled, an arrowhead at b from a would not be one.
        (["a o-o b", "b --> c"], {"ab bc", "ba bc"}),
        # a <-> c says that a is no ancestor of c: of a → b → c one arrow cannot be.
        (["a o-> b", "b o-> c", "a <-> c"], {"ab", "bc", ""}),
    ],
)  # fmt: skip
def test_graphs_by_hand(edges, wanted):
    assert found(*edges) == {" ".join(sorted(graph.split())) for graph in wanted}


def test_circle_graphs_are_those_of_the_equivalence_class():
    """Against all orientations, kept where skeleton and unshielded colliders are the same."""
    pairs = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("a", "c"), ("d", "e")]

    def colliders(dag: nx.DiGraph) -> set:
        return {
            (middle, frozenset((one, other)))
            for middle in dag
            for one, other in product(dag.predecessors(middle), repeat=2)
            if one != other and not dag.has_edge(one, other) and not dag.has_edge(other, one)
        }

    expected = set()
    for turned in product((False, True), repeat=len(pairs)):
        dag = nx.DiGraph((b, a) if t else (a, b) for (a, b), t in zip(pairs, turned, strict=True))
        if nx.is_directed_acyclic_graph(dag) and not colliders(dag):
            expected.add(" ".join(sorted(a + b for a, b in dag.edges)))
    assert len(expected) > 5
    assert found(*(f"{a} o-o {b}" for a, b in pairs)) == expected


def test_contradictions_are_named(caplog):
    g = graph("a --> b", "b --> c", "a <-> c")
    allowed = allowed_graphs(g, list("abc"), 50, 0)
    assert allowed.graphs == ((("a", "b"), ("b", "c")),)
    assert allowed.notes == (
        "no graph was found that keeps every '<->' without an ancestor among its ends",
    )
    assert allowed.notes[0] in caplog.text
    # b → c would meet e → c, and c → b would meet a → b.
    g = graph("a --> b", "b o-o c", "c --> d", "a --> d", "b --> d", "e --> c")
    allowed = allowed_graphs(g, list("abcde"), 50, 0)
    assert allowed.notes == ("no graph was found that avoids every new unshielded collider",)
    assert {len(dag) for dag in allowed.graphs} == {6}


def test_the_weakest_edge_of_a_cycle_is_left_out():
    cycle = (edge("a --> b", 0.9), edge("b --> c", 0.6), edge("c --> a", 0.8))
    allowed = allowed_graphs(graph(*cycle), list("abc"), 50, 0)
    assert allowed.graphs == ((("a", "b"), ("c", "a")),)
    assert allowed.notes == (
        "b --> c is left out, the least frequent edge of a cycle of arrows",
    )  # fmt: skip


def test_more_graphs_than_permitted_are_sampled_and_said(caplog):
    star = [f"{leaf} o-> hub" for leaf in "abcdefghij"]  # 1,024 graphs
    g = graph(*star)
    with caplog.at_level(logging.WARNING):
        allowed = allowed_graphs(g, [n.name for n in g.nodes], 20, 3)
    assert not allowed.complete
    assert len(set(allowed.graphs)) == 20
    assert "largest_number_of_graphs" in caplog.text
    assert allowed == allowed_graphs(g, [n.name for n in g.nodes], 20, 3)
    # Drawn, not the first ones of the search, which have the arrows from a, b and c.
    assert len({dag[:3] for dag in allowed.graphs}) > 2


def test_many_nodes_are_no_search_without_end():
    """What observations tell of 32 variables: 58 edges, and many dead ends."""
    model = random_model(nodes=32, hidden=8, degree=3.0, seed=3, index=0)
    marks = truth_of(model).observable
    signs = {-1: "tail", 1: "arrow", 2: "circle"}
    names = model.observed
    edges = [
        Edge(names[i], names[j], signs[marks[j, i]], signs[marks[i, j]], "association")
        for i, j in combinations(range(32), 2)
        if marks[i, j]
    ]
    allowed = allowed_graphs(graph(*edges), names, 20, 0)
    assert not allowed.complete
    assert allowed.notes == ()
    for dag in allowed.graphs:
        assert nx.is_directed_acyclic_graph(nx.DiGraph(dag))
        assert all(marks[names.index(a), names.index(b)] != -1 for a, b in dag)
        assert all(marks[names.index(b), names.index(a)] != 1 for a, b in dag)


def test_no_edges_is_one_graph_and_predictions_take_no_part():
    base = graph("a o-o b")
    prediction = Node("prediction:x", "prediction", "x")
    used = Edge("a", "prediction:x", "tail", "arrow", "intervention")
    g = CausalGraph((*base.nodes, prediction), (*base.edges, used), (), SEARCH)
    assert allowed_graphs(g, ["a", "b"], 50, 0).graphs == ((("a", "b"),), (("b", "a"),))
    assert allowed_graphs(g, ["a"], 50, 0).graphs == ((),)

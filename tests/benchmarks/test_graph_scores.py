import networkx as nx
import numpy as np
import pandas as pd
import pytest

from benchmarks.graph.known_models import KnownModel, confounded_model, digit_model, random_model
from benchmarks.graph.methods import summary
from benchmarks.graph.plain import undirected_is_open
from benchmarks.graph.scaling import seconds_within
from benchmarks.graph.scenarios import add_up, judge
from benchmarks.graph.score import Counts, count, majority, marks_of
from benchmarks.graph.truth import directed_graph, truth_of
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord

CODES = {"-": -1, "<": 1, ">": 1, "o": 2}


def marks(names: str, *edges: str) -> np.ndarray:
    """Read ``a o-> b``, …"""
    matrix = np.zeros((len(names), len(names)), np.int8)
    for text in edges:
        source, ends, target = text.split()
        i, j = names.index(source), names.index(target)
        matrix[j, i], matrix[i, j] = CODES[ends[0]], CODES[ends[-1]]
    return matrix


def model(observed: str, *causes: str) -> KnownModel:
    graph = nx.DiGraph([tuple(pair) for pair in causes])
    graph.add_nodes_from(observed)
    return KnownModel("by hand", graph, tuple(observed), lambda rows, generator: pd.DataFrame())


@pytest.mark.parametrize(
    ("causes", "wanted"),
    [
        (["ab", "bc"], ["a o-o b", "b o-o c"]),
        (["ab", "cb"], ["a o-> b", "c o-> b"]),
        (["ab", "cb", "bd"], ["a o-> b", "c o-> b", "b --> d"]),
        # h is hidden: a → b ← h → c ← d.
        (["ab", "hb", "hc", "dc"], ["a o-> b", "b <-> c", "d o-> c"]),
    ],
)
def test_what_observations_can_tell(causes, wanted):
    assert np.array_equal(truth_of(model("abcd", *causes)).observable, marks("abcd", *wanted))


def test_no_mark_of_the_truth_is_false():
    for index in range(100):
        truth = truth_of(random_model(8, 2 + index % 3, 2.0 + index % 2, 1, index))
        heads, tails = truth.observable == 1, truth.observable == -1
        assert not (heads & truth.causes.T).any(), index
        assert not (tails & ~truth.causes.T).any(), index


@pytest.mark.parametrize("scenario", STRUCTURAL_MODELS)
def test_oracle_agrees_with_what_is_written_of_the_digits(scenario):
    known = STRUCTURAL_MODELS[scenario]
    wanted = np.zeros((3, 3), np.int8)
    codes = {"tail": -1, "arrow": 1, "circle": 2}
    for edge in known.observable_edges:
        i, j = known.nodes.index(edge.source), known.nodes.index(edge.target)
        wanted[i, j], wanted[j, i] = codes[edge.mark_at_target], codes[edge.mark_at_source]
    assert np.array_equal(truth_of(digit_model(scenario)).observable, wanted)


def test_confounded_pair_can_be_told():
    truth = truth_of(confounded_model())
    wanted = marks("slwh", "s o-> w", "w <-> h", "l o-> h")
    assert np.array_equal(truth.observable, wanted)
    assert truth.causes.sum() == 2


def test_counts_by_hand():
    """True: a → b ← c, b → d; a is a cause of d through b."""
    truth = truth_of(model("abcd", "ab", "cb", "bd"))
    assert count(truth.observable, truth) == Counts(3, 3, 3, 3, 3, 3, 3, 0, 0)
    assert count(directed_graph(model("abcd", "ab", "cb", "bd")), truth).distance == 0
    # b → a is wrong; b – c lacks its arrowhead; c – d is one too many; b → d is missing.
    found = marks("abcd", "b --> a", "b o-o c", "c --> d")
    assert count(found, truth) == Counts(
        joined_right=2,
        joined_found=3,
        joined_true=3,
        heads_right=0,
        heads_claimed=1,
        heads_found=0,
        heads_true=3,
        wrong_directions=1,
        distance=4,
    )


def test_a_true_direction_that_no_observation_tells_is_no_error():
    truth = truth_of(model("ab", "ab"))
    assert count(marks("ab", "a --> b"), truth) == Counts(1, 1, 1, 1, 1, 0, 0, 0, 0)
    assert count(marks("ab", "b --> a"), truth) == Counts(1, 1, 1, 0, 1, 0, 0, 1, 1)
    # Circle and arrowhead: false, but no direction is claimed.
    assert count(marks("ab", "b o-> a"), truth) == Counts(1, 1, 1, 0, 1, 0, 0, 0, 1)


def test_a_direction_between_confounded_columns_is_wrong():
    truth = truth_of(confounded_model())
    found = marks("slwh", "s o-> w", "w --> h", "l o-> h")
    assert count(found, truth).wrong_directions == 1


def test_majority_by_hand():
    one, other = marks("ab", "a o-> b"), marks("ab", "a --> b")
    none = marks("ab")
    stack = np.stack([one, other, other, none])
    assert np.array_equal(majority(stack, 0.5), marks("ab", "a --> b"))
    assert np.array_equal(majority(stack, 0.8), none)
    assert np.array_equal(majority(np.stack([one, other]), 0.5), marks("ab", "a o-> b"))


def test_marks_of_a_causal_graph():
    nodes = tuple(Node(name, "aligned", name) for name in "abc")
    edges = (Edge("c", "a", "circle", "arrow", "association"),)
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0)
    found = marks_of(CausalGraph(nodes, edges, (), record), ("a", "c"))
    assert np.array_equal(found, np.array([[0, 2], [1, 0]]))


def test_undirected_edges_of_a_cpdag_are_open():
    assert np.array_equal(
        undirected_is_open(marks("abc", "a --- b", "b --> c")), marks("abc", "a o-o b", "b --> c")
    )


def test_summary_by_hand():
    line = summary("x", Counts(6, 8, 10, 3, 4, 1, 5, 2, 7), seconds=3.0, models=2)
    assert line == {
        "name": "x",
        "shd": 3.5,
        "adjacency_precision": 0.75,
        "adjacency_recall": 0.6,
        "arrowhead_precision": 0.75,
        "arrowhead_recall": 0.2,
        "wrong_directions": 2,
        "seconds": 1.5,
    }
    assert summary("x", Counts(), 1.0, 1)["arrowhead_recall"] is None


def test_judging_one_run():
    collider = digit_model("collider")  # thickness, slant, intensity
    truth = truth_of(collider)
    good = {"skeleton_exact": True, "directions_right": True, "wrong_directions": 0}
    assert judge(marks("tsi", "t o-> i", "s o-> i"), truth) == good
    # A true direction that cannot be told is no mistake of arrowheads; nor is an extra edge.
    assert judge(marks("tsi", "t --> i", "s o-> i"), truth) == good
    extra = judge(marks("tsi", "t o-> i", "s o-> i", "t o-o s"), truth)
    assert (extra["skeleton_exact"], extra["directions_right"]) == (False, True)
    assert not judge(marks("tsi", "t o-> i"), truth)["directions_right"]
    assert judge(marks("tsi", "i --> t", "s o-> i"), truth)["wrong_directions"] == 1
    wanted = directed_graph(collider)
    assert judge(wanted, truth, wanted) == good
    assert not judge(truth.observable, truth, wanted)["directions_right"]


def test_a_run_of_two_graphs_counts_when_both_are_right():
    good = {"skeleton_exact": True, "directions_right": True, "wrong_directions": 0}
    bad = {"skeleton_exact": True, "directions_right": False, "wrong_directions": 2}
    assert add_up([[good, good], [good, bad]]) == {
        "seeds": 2,
        "skeleton_exact": 2,
        "directions_right": 1,
        "wrong_directions": 2,
    }


def test_random_models_hide_their_confounders_and_hang_on_the_seed():
    first, second = (random_model(8, 2, 2.0, 0, 3) for _ in range(2))
    assert set(first.causes) - set(first.observed) == {"hidden0", "hidden1"}
    assert nx.is_directed_acyclic_graph(first.causes)
    assert nx.utils.edges_equal(first.causes.edges, second.causes.edges)
    frames = [one.table(50, 1).concepts for one in (first, second)]
    assert list(frames[0]) == list(first.observed)
    assert frames[0].equals(frames[1])
    assert not frames[0].equals(first.table(50, 2).concepts)


def test_what_takes_too_long_is_given_up():
    assert seconds_within(120.0, float, "0.25") == 0.25
    assert seconds_within(0.0, float, "0.25") is None

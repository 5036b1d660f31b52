from types import SimpleNamespace

import numpy as np
import pytest

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import DiscoverParameters, GraphSearchParameters
from glance_pipeline.graph.model.knowledge import add_required, check_names, facts_of, sentences
from glance_pipeline.graph.search.algorithms import search
from glance_pipeline.graph.search.algorithms.equivalence import class_marks
from glance_pipeline.graph.search.discovery import discover_concept_graph
from helpers.tables import dense, normal, sample_of, table

TAIL, ARROW, CIRCLE = -1, 1, 2
QUICK = {"resamples": 6, "reexamination": None}


def chain(seed: int = 0):
    """a → b → c, whose directions observations cannot tell, and d apart."""
    a, e, f, d = normal(seed, columns=4)
    return table(a=a, b=a + e, c=a + e + f, d=d)


def edges(method: str = "fci", **knowledge) -> list[str]:
    graph = discover_concept_graph(
        chain(), GraphSearchParameters(method=method, **QUICK), 0, 1, Knowledge(**knowledge)
    )
    return sorted(map(str, graph.edges))


def test_nothing_known_leaves_the_chain_open():
    assert edges() == ["a o-o b", "b o-o c"]
    assert edges("pc") == ["a o-o b", "b o-o c"]


@pytest.mark.parametrize("method", ["fci", "pc", "ges", "boss"])
def test_required_directs_an_edge_and_the_rules_the_next(method):
    """a → b; were c a cause of b there would be a collider that the data do not show."""
    assert edges(method, required=[["a", "b"]]) == ["a --> b", "b --> c"]


def test_forbidden_and_tiers_give_arrowheads_alone_where_causes_may_be_hidden():
    """b causes no a: a o-> b is all that follows; then R1 gives b → c."""
    for knowledge in ({"forbidden": [["b", "a"]]}, {"tiers": [["a"], ["b", "c"]]}):
        assert edges(**knowledge) == ["a o-> b", "b --> c"]
        assert edges("pc", **knowledge) == ["a --> b", "b --> c"]


def test_sink_keeps_its_other_mark_open():
    """causal-learn's own tiers turn this into a --> b (its issue 266)."""
    a, e, _ = normal(0)
    knowledge = Knowledge(tiers=[["a"], ["b"]])
    settings = GraphSearchParameters(**QUICK)
    graph = discover_concept_graph(table(a=a, b=a + e), settings, 0, 1, knowledge)
    assert list(map(str, graph.edges)) == ["a o-> b"]
    assert graph.edges[0].knowledge == "known: b does not cause a"
    assert graph.search.knowledge == ("Tiers: a, then b; nothing later causes anything earlier.",)


def test_required_edge_that_the_data_do_not_hold():
    knowledge = Knowledge(required=[("a", "d")])
    graph = discover_concept_graph(chain(), GraphSearchParameters(**QUICK), 0, 1, knowledge)
    edge = graph.between("a", "d")
    assert str(edge) == "a --> d"
    assert edge.frequency == 0.0
    assert edge.knowledge == "required: a causes d (the data alone do not hold this edge)"
    assert edge.source_marks["tail"] == edge.target_marks["arrow"] == 1.0
    assert [str(other) for other in graph.edges if other is not edge] == ["a o-o b", "b o-o c"]


def test_required_edge_of_a_concept_that_cannot_be_searched_is_named(caplog):
    a, b, _ = normal(0)
    columns = table(a=a, b=b, flat=np.ones(len(a)))
    known = Knowledge(required=[["a", "flat"], ["a", "b"]])
    graph = discover_concept_graph(columns, GraphSearchParameters(**QUICK), 0, 1, known)
    assert [str(edge) for edge in graph.edges] == ["a --> b"]
    assert "required: [a, flat] makes no edge" in caplog.text
    assert "required: [a, b]" not in caplog.text


def test_what_follows_from_what_is_known():
    """a → b → c required, x no cause of c: x causes neither a nor b; c causes neither b nor a."""
    knowledge = Knowledge(required=[["a", "b"], ["b", "c"]], forbidden=[["x", "c"]])
    facts = facts_of(knowledge, ["x", "c", "a"])  # b is not searched, and counts all the same
    assert facts.causes.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert facts.not_causes.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert not facts.required.any()
    # The mark at c of x – c stays unknown, that at x is an arrowhead.
    assert facts.marks().tolist() == [[0, 0, 0], [1, 0, -1], [1, 1, 0]]


def test_rules_after_a_required_edge_was_added_by_hand():
    """a → b required; b → c found and a o-o c: a → c, by R2 and R8. c o-o d says nothing."""
    marks = np.zeros((4, 4), np.int8)
    marks[1, 2], marks[2, 1] = ARROW, TAIL
    for i, j in ((0, 2), (2, 3)):
        marks[i, j] = marks[j, i] = CIRCLE
    done = add_required(marks, facts_of(Knowledge(required=[["a", "b"]]), list("abcd")))
    assert (done[0, 1], done[1, 0]) == (ARROW, TAIL)
    assert (done[0, 2], done[2, 0]) == (ARROW, TAIL)
    assert (done[2, 3], done[3, 2]) == (CIRCLE, CIRCLE)
    assert marks[0, 1] == 0


@pytest.mark.parametrize("method", ["fci", "pc", "boss"])
@pytest.mark.parametrize("seed", range(4))
def test_no_search_overrules_what_is_known(method, seed):
    """Knowledge drawn at random, most of it against the data."""
    generator = np.random.default_rng(seed)
    order = [f"{node}" for node in generator.permutation(8)]
    knowledge = Knowledge(
        required=[order[:2], order[1:3]],
        forbidden=[order[5:7], order[6:4:-1]],
        tiers=[order[:4], order[4:]],
    )
    facts = facts_of(knowledge, [str(node) for node in range(8)])
    settings = GraphSearchParameters(method=method)
    sample = sample_of(dense(seed, nodes=8))
    marks = search(sample, settings, facts, np.random.SeedSequence(seed))
    done = add_required(marks, facts)
    known = facts.marks()
    assert np.count_nonzero(known) >= 20
    held = (done != 0) & (known != 0)
    assert np.array_equal(done[held], known[held])
    assert ((done != 0) == ((marks != 0) | facts.required | facts.required.T)).all()
    assert ((done != 0) == (done.T != 0)).all()


@pytest.mark.parametrize(
    ("directed", "undirected", "wanted"),
    [
        (["b>c"], ["ab", "ac"], ["a>b", "b>c", "a>c"]),  # R2, a → b being known
        # R3: a – c → b ← d – a, c and d apart.
        (["c>e", "d>e"], ["ae", "ac", "ad"], ["a>e", "c>e", "d>e", "a-c", "a-d"]),
        # R4: a – d → c → e, a – e and a – c, d and e apart.
        (["d>c", "c>e"], ["ae", "ac", "ad"], ["a>e", "d>c", "c>e", "a-c", "a-d"]),
    ],
)
def test_meeks_rules_by_hand(directed, undirected, wanted):
    """It is known that a → b; in R3 and R4 that edge is not there, and the rules run anyhow."""
    names = "abcde"
    marks = np.zeros((len(names), len(names)), np.int8)
    for edge in directed:
        i, j = names.index(edge[0]), names.index(edge[2])
        marks[i, j], marks[j, i] = ARROW, TAIL
    for pair in undirected:
        i, j = map(names.index, pair)
        marks[i, j] = marks[j, i] = TAIL
    known = Knowledge(required=[["a", "b"]])
    done = class_marks(SimpleNamespace(graph=marks.T), facts_of(known, list(names)))
    found = [
        f"{names[i]}>{names[j]}" if done[j, i] == TAIL else f"{names[i]}-{names[j]}"
        for i, j in np.argwhere((done != 0) & ((done == ARROW) | (done.T == CIRCLE)))
        if done[i, j] == ARROW or i < j
    ]
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize(
    ("knowledge", "message"),
    [
        ({"required": [["a", "b"], ["b", "a"]]}, r"required: a → b → a is a circle"),
        (
            {"required": [["a", "b"]], "forbidden": [["a", "b"]]},
            r"required: a → b makes 'a' a cause of 'b', but discover\.knowledge\.forbidden holds",
        ),
        (
            {"required": [["a", "x"], ["x", "b"]], "forbidden": [["a", "b"]]},
            r"a → x → b makes 'a' a cause of 'b'",
        ),
        (
            {"required": [["a", "b"]], "tiers": [["b"], ["a"]]},
            r"but discover\.knowledge\.tiers puts 'a' in tier 2, after 'b' in tier 1",
        ),
        ({"tiers": [["a", "b"], ["a"]]}, r"tiers: \['a'\] are named twice; wanted: each name in"),
        ({"forbidden": [["a", "a"]]}, r"forbidden: \[a, a\] names one node twice"),
    ],
)
def test_contradictions_are_named(knowledge, message):
    with pytest.raises(ValueError, match=message):
        DiscoverParameters.model_validate({"knowledge": knowledge})


def test_unknown_names_are_named():
    message = r"discover\.knowledge\.tiers: \['z'\] are no concepts of the graph; wanted: names"
    with pytest.raises(ValueError, match=message):
        check_names(Knowledge(tiers=[["a"], ["z"]]), ["a", "b"])
    with pytest.raises(ValueError, match=message):
        edges(tiers=[["a"], ["z"]])


def test_knowledge_in_words():
    knowledge = Knowledge(required=[("a", "b")], forbidden=[("c", "a")])
    assert sentences(knowledge) == (
        "Required: a causes b.",
        "Forbidden: c does not cause a.",
    )

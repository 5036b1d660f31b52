import contextlib
import io
import random

import numpy as np
import pytest
from causallearn.graph.Edge import Edge
from causallearn.graph.Endpoint import Endpoint
from causallearn.graph.GeneralGraph import GeneralGraph
from causallearn.graph.GraphNode import GraphNode
from causallearn.search.ConstraintBased import FCI
from causallearn.search.ConstraintBased.PC import pc
from causallearn.search.PermutationBased.BOSS import boss
from causallearn.search.ScoreBased.GES import ges
from causallearn.utils.cit import FisherZ, register_ci_test
from causallearn.utils.DepthChoiceGenerator import DepthChoiceGenerator

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.algorithms import search
from glance_pipeline.graph.search.algorithms.fci import _orient
from glance_pipeline.graph.search.algorithms.independence import ResampledTest, node_names
from glance_pipeline.graph.search.algorithms.scored import ResampledScore
from glance_pipeline.graph.search.bootstrap import effective_rows
from glance_pipeline.graph.search.correlations import Sample, correlate
from helpers.tables import dense, normal, nothing_known, sample_of

METHODS = ["fci", "pc", "ges", "boss"]
TAIL, ARROW, CIRCLE = -1, 1, 2


def run(method: str, sample: Sample, **settings) -> np.ndarray:
    parameters = GraphSearchParameters(method=method, **settings)
    return search(sample, parameters, nothing_known(len(sample)), np.random.SeedSequence(0))


def undirected_as_circles(graph) -> np.ndarray:
    marks = graph.graph.T.copy()
    marks[(marks == TAIL) & (marks.T == TAIL)] = CIRCLE
    return marks


@pytest.mark.parametrize("seed", range(4))
def test_fci_is_causal_learns(seed, monkeypatch):
    """But for the rules that are left out, and for a set that it skips.

    Its choices are copied: it changes in place what it handed out, and skips the first.
    """
    following = DepthChoiceGenerator.next

    def copied(self):
        choice = following(self)
        return None if choice is None else list(choice)

    monkeypatch.setattr(DepthChoiceGenerator, "next", copied)
    for rule in ("ruleR5", "ruleR6", "ruleR7"):
        monkeypatch.setattr(FCI, rule, lambda graph, changed, *_: changed)
    monkeypatch.setattr(FCI, "rule10", lambda graph, changed, *_: changed)
    sample = sample_of(dense(seed))

    class OnSample(ResampledTest):
        def __init__(self, data):
            super().__init__(sample, 3)

    register_ci_test("on sample", OnSample)
    with contextlib.redirect_stdout(io.StringIO()):
        graph, _ = FCI.fci(
            np.zeros((20, 10)),
            "on sample",
            alpha=0.01,
            depth=3,
            show_progress=False,
            node_names=node_names(10),
        )
    marks = run("fci", sample)
    assert np.array_equal(marks, graph.graph.T)
    assert ARROW in marks


def test_discriminating_path_where_no_other_rule_applies():
    """⟨a, b, c, d⟩ discriminates for c, which separates a from d: Zhang's R4 makes it c → d."""
    nodes = [GraphNode(name) for name in node_names(4)]
    graph = GeneralGraph(nodes)
    circle, tail, arrow = Endpoint.CIRCLE, Endpoint.TAIL, Endpoint.ARROW
    for one, other, mark in ((0, 1, circle), (2, 1, circle), (1, 3, tail), (2, 3, circle)):
        graph.add_edge(Edge(nodes[one], nodes[other], mark, arrow))
    separating = {(0, 3): {1, 2}, (3, 0): {1, 2}, (0, 2): set(), (2, 0): set()}

    class ByPath(ResampledTest):
        def __call__(self, X, Y, condition_set=()):
            return float((X, Y, set(condition_set)) == (0, 3, {1, 2}))

    _orient(graph, nodes, ByPath(sample_of(normal(0, columns=4).T), 3), 0.01, separating)
    assert graph.graph.T.tolist() == [[0, 1, 0, 0], [2, 0, 2, 1], [0, 1, 0, 1], [0, -1, -1, 0]]


@pytest.mark.parametrize("seed", range(4))
def test_pc_is_causal_learns(seed):
    values = dense(seed)
    graph = pc(values, alpha=0.01, max_k=3, show_progress=False).G
    assert np.array_equal(run("pc", sample_of(values)), undirected_as_circles(graph))


@pytest.mark.parametrize("seed", range(2))
def test_ges_is_causal_learns(seed):
    values = dense(seed, nodes=6)
    values = (values - values.mean(0)) / values.std(0)
    graph = ges(values, lambda_value=0.5)["G"]
    assert np.array_equal(run("ges", sample_of(values)), undirected_as_circles(graph))


@pytest.mark.parametrize("seed", range(3))
def test_boss_is_causal_learns(seed):
    """On a model whose best order both find, whatever order they move nodes in."""
    values = dense(seed, nodes=6, hidden=0, degree=2.0)
    values = (values - values.mean(0)) / values.std(0)
    random.seed(0)
    graph = boss(values, parameters={"lambda_value": 0.5}, verbose=False)
    assert np.array_equal(run("boss", sample_of(values)), undirected_as_circles(graph))


@pytest.mark.parametrize("method", METHODS)
def test_collider_and_chain(method):
    """a → c ← b has both arrowheads; nothing tells the direction of d – e – f."""
    a, b, e1, d, e2, e3 = normal(0, columns=6)
    columns = [a, b, a + b + e1, d, d + e2, d + e2 + e3]
    marks = run(method, sample_of(np.stack(columns, axis=1)))
    assert marks[0, 2] == marks[1, 2] == ARROW
    assert marks[2, 0] == marks[2, 1] == (CIRCLE if method == "fci" else TAIL)
    assert marks[3, 4] == marks[4, 3] == marks[4, 5] == marks[5, 4] == CIRCLE
    assert np.count_nonzero(marks) == 8


@pytest.mark.parametrize("method", METHODS)
def test_unrelated_columns_stay_apart_on_resamples(method):
    """Pairs joined on bootstrap resamples, counted with a resample's rows they are 7 or 6 %."""
    joined = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(1000, 6))[rng.integers(1000, size=1000)]
        joined += np.count_nonzero(run(method, sample_of(rows, effective_rows(1000, 1000)))) / 2  # type: ignore[assignment]
    assert joined / (20 * 15) <= 0.025


def test_same_boss_for_the_same_seed_whatever_was_drawn_before():
    sample = sample_of(dense(5))
    marks = run("boss", sample)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    assert np.array_equal(run("boss", sample), marks)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_printed(method, capfd, recwarn):
    run(method, sample_of(dense(1)))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_test_is_at_its_level_on_resamples():
    """Without the effective number of rows 17 % of unrelated pairs pass a level of 5 %."""
    passed, rounds = 0, 300
    for k in range(rounds):
        rng = np.random.default_rng(k)
        rows = rng.normal(size=(200, 2))[rng.integers(200, size=200)]
        passed += ResampledTest(sample_of(rows, 100), 0)(0, 1) < 0.05
    assert 0.03 <= passed / rounds <= 0.075


def test_p_value_is_fishers():
    rows = normal(1, rows=50).T
    ours = ResampledTest(sample_of(rows), 1)
    assert ours(0, 1, (2,)) == pytest.approx(FisherZ(rows)(0, 1, (2,)))
    assert ResampledTest(sample_of(rows), 0)(0, 1, (2,)) == 0.0


def test_score_by_hand():
    """Correlation 0.6: a parent adds −n/2 · log(1 − 0.36) − ½ log n."""
    correlations = np.array([[1.0, 0.6], [0.6, 1.0]])
    score = ResampledScore(Sample(correlations, ((0,), (1,)), 100.0), penalty=1.0)
    assert score.score(1, []) == pytest.approx(0.0)
    assert score.score(1, [0]) == pytest.approx(-50 * np.log(0.64) - np.log(100) / 2)
    heavy = ResampledScore(Sample(correlations, ((0,), (1,)), 100.0), penalty=3.0)
    assert score.score(1, [0]) - heavy.score(1, [0]) == pytest.approx(np.log(100))


def test_effective_rows():
    assert effective_rows(100, 100) == pytest.approx(50)
    assert effective_rows(300, 100) == pytest.approx(75)


def test_column_that_a_resample_lacks_correlates_with_nothing():
    a, b, _ = normal(0, rows=50)
    correlations = correlate(np.stack([a, np.zeros(50), a + b], axis=1))
    assert correlations[1].tolist() == [0.0, 1.0, 0.0]
    assert correlations[0, 2] == pytest.approx(np.corrcoef(a, a + b)[0, 1])


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_are_equal_in_a_resample(method):
    """As two labels are that differ on one image, where it is not drawn: the pair is joined."""
    correlations = np.array([[1, 1, 0.5, 0], [1, 1, 0.5, 0], [0.5, 0.5, 1, 0], [0, 0, 0, 1]])
    marks = run(method, Sample(correlations, tuple((k,) for k in range(4)), 100.0))
    assert marks[0, 1] == marks[1, 0] == CIRCLE
    assert not marks[3].any()

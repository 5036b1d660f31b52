"""What is done to other packages, and the versions that it is needed for and works with."""

import inspect
import re
from importlib import import_module
from importlib.metadata import version

import networkx as nx
import numpy as np
import pytest
from causallearn.search.ScoreBased import GES
from dowhy.gcm.falsify import falsify_graph

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.algorithms import scored
from glance_pipeline.graph.search.correlations import Sample, correlate
from helpers.tables import nothing_known


def test_dowhy_needs_the_name_that_networkx_dropped() -> None:
    """Where this fails, ``_NETWORKX`` in ``graph/structural/gcm.py`` is needed no more."""
    used = set(re.findall(r"\bnx\.(\w+)", inspect.getsource(inspect.getmodule(falsify_graph))))
    missing = {name for name in used if not hasattr(nx, name)}
    assert missing == {"d_separated"}, f"dowhy {version('dowhy')}, networkx {nx.__version__}"
    gcm = import_module("glance_pipeline.graph.structural.gcm")
    assert all(hasattr(gcm._NETWORKX, name) for name in used)
    assert not hasattr(nx, "d_separated")


def three_in_a_row() -> Sample:
    draws = np.random.default_rng(0).normal(size=(500, 3))
    draws[:, 1] += draws[:, 0]
    draws[:, 2] += draws[:, 1]
    return Sample(correlate(draws), ((0,), (1,), (2,)), 500.0)


def test_ges_of_causal_learn_asks_our_score() -> None:
    settings = GraphSearchParameters(method="ges")
    found = scored.search_ges(
        three_in_a_row(), settings, nothing_known(3), np.random.SeedSequence(0)
    )
    assert found.any(), f"causal-learn {version('causal-learn')}"


_GES = GES.ges


def with_a_score_of_its_own(
    cov: object = None, n: object = None, node_names: object = None
) -> object:
    return _GES(cov=cov, n=n, node_names=node_names)


def test_a_ges_that_does_not_take_our_score_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GES, "ges", with_a_score_of_its_own)
    with pytest.raises(RuntimeError, match=r"causal-learn 0\.1\.4.* did not ask the score"):
        settings = GraphSearchParameters(method="ges")
        scored.search_ges(three_in_a_row(), settings, nothing_known(3), np.random.SeedSequence(0))

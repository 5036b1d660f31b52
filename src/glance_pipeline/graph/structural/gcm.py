"""dowhy's graphical causal models, made of mechanisms that are fitted already, and kept quiet.

Importing dowhy takes seconds, so import this module late.
"""

import contextlib
import random
import warnings
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from unittest.mock import patch

import networkx as nx
import numpy as np
import pandas as pd

from glance_pipeline.graph.model.records import Falsification
from glance_pipeline.graph.structural.directed import Dag, digraph
from glance_pipeline.graph.structural.mechanisms import SplineMechanism
from glance_pipeline.support.seeding import seed_sequence

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # in a notebook tqdm misses widgets, which nobody asked for
    from dowhy import gcm
    from dowhy.gcm import config
    from dowhy.gcm.falsify import FalsifyConst, falsify_graph
    from dowhy.gcm.independence_test import generalised_cov_based
    from dowhy.gcm.ml import PredictionModel

_NETWORKX = SimpleNamespace(**{**vars(nx), "d_separated": nx.is_d_separator})
"""networkx as ``dowhy.gcm.falsify`` of dowhy 0.12 wants it: ``d_separated`` is gone since 3.5."""


class FittedRegression(PredictionModel):  # type: ignore[misc]
    """A mechanism as dowhy wants it; it has been fitted and stays as it is."""

    def __init__(self, mechanism: SplineMechanism) -> None:
        self.mechanism = mechanism

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        """Do nothing."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return expected values (N, 1) for causes (N, P)."""
        return self.mechanism.predict(X)[:, None]

    def clone(self) -> "FittedRegression":
        """Return the same mechanism."""
        return FittedRegression(self.mechanism)


class SplineRegression(PredictionModel):  # type: ignore[misc]
    """A regression for the conditional independence test."""

    knots = 5

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        """Fit a spline mechanism."""
        self.mechanism = SplineMechanism.fit(X, Y.ravel(), self.knots)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return expected values (N, 1) for (N, P)."""
        return self.mechanism.predict(X)[:, None]

    def clone(self) -> "SplineRegression":
        """Return a regression to be fitted."""
        return SplineRegression()


def structural_causal_model(
    nodes: tuple[str, ...],
    dag: Dag,
    mechanisms: Mapping[tuple[str, tuple[str, ...]], SplineMechanism],
    observed: pd.DataFrame,
) -> gcm.InvertibleStructuralCausalModel:
    """Return dowhy's model of one graph, with the residuals of ``observed`` for its noise.

    A node without causes has the distribution of its observed values, any other an additive noise.
    """
    model = gcm.InvertibleStructuralCausalModel(digraph(nodes, dag))
    for node in nodes:
        causes = tuple(sorted(model.graph.predecessors(node)))
        model.set_causal_mechanism(
            node,
            gcm.AdditiveNoiseModel(FittedRegression(mechanisms[node, causes]))
            if causes
            else gcm.EmpiricalDistribution(),
        )
    with quiet():
        gcm.fit(model, observed)
    return model


def counterfactual(
    model: gcm.InvertibleStructuralCausalModel, rows: pd.DataFrame, values: pd.DataFrame
) -> pd.DataFrame:
    """Carry interventions over to descendants: abduction, action, prediction (Pearl 2009, 7.1).

    Args:
        model: model of one graph.
        rows: (N, nodes), as observed.
        values: (N, intervened nodes), what these are set to in each row.
    """
    columns = {name: iter(values[name].tolist()) for name in values}
    actions = {name: lambda _own, column=column: next(column) for name, column in columns.items()}
    return gcm.counterfactual_samples(model, actions, observed_data=rows)


def interventional(
    model: gcm.InvertibleStructuralCausalModel,
    values: Mapping[str, float],
    number: int,
    seed: int,
    *names: str | int,
) -> pd.DataFrame:
    """Draw ``number`` rows from the distribution under do(values), on the stream ``names``."""
    actions = {name: lambda _own, value=value: value for name, value in values.items()}
    with global_generators(seed, *names):
        return gcm.interventional_samples(model, actions, num_samples_to_draw=number)


def falsify(
    nodes: tuple[str, ...], dag: Dag, observed: pd.DataFrame, permutations: int, seed: int
) -> Falsification:
    """Test whether a graph fits the data better than with its nodes permuted.

    Conditional independence is tested by the generalised covariance measure (Shah, Peters 2020)
    with spline regressions: unlike a partial correlation it allows for bent dependences, and it
    takes milliseconds where dowhy's default, a kernel test, takes seconds.
    """

    def conditional(X: np.ndarray, Y: np.ndarray, Z: np.ndarray) -> float:
        return generalised_cov_based(X, Y, Z, SplineRegression, SplineRegression)

    with (
        quiet(),
        global_generators(seed, "structural model", "falsification"),
        patch.dict(falsify_graph.__globals__, nx=_NETWORKX),
    ):
        result = falsify_graph(
            digraph(nodes, dag),
            observed,
            independence_test=generalised_cov_based,
            conditional_independence_test=conditional,
            n_permutations=permutations,
            n_jobs=1,
            show_progress_bar=False,
        )
    markov = result.summary[FalsifyConst.VALIDATE_LMC]
    ancestors = result.summary[FalsifyConst.VALIDATE_TPA]
    return Falsification(
        violations=int(markov[FalsifyConst.GIVEN_VIOLATIONS]),
        tests=int(markov[FalsifyConst.N_TESTS]),
        p_value=float(markov[FalsifyConst.P_VALUE]),
        p_value_equivalent=float(ancestors[FalsifyConst.P_VALUE]),
        rows=len(observed),
        permutations=permutations,
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show none of dowhy's progress bars."""
    before = config.show_progress_bars
    config.show_progress_bars = False
    try:
        yield
    finally:
        config.show_progress_bars = before


@contextlib.contextmanager
def global_generators(seed: int, *names: str | int) -> Iterator[None]:
    """Let dowhy draw from the stream ``names``; the global generators are as before at the end."""
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    state = int(seed_sequence(seed, *names).generate_state(1)[0])
    gcm.util.general.set_random_seed(state)
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)

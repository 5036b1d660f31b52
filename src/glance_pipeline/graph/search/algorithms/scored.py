"""GES and BOSS of causal-learn, on one score. Imports causal-learn: import this late."""

import math
from importlib.metadata import version
from types import FunctionType
from typing import Any

import numpy as np
from causallearn.graph.Dag import Dag
from causallearn.graph.GraphNode import GraphNode
from causallearn.search.PermutationBased.BOSS import better_mutation
from causallearn.search.PermutationBased.gst import GST
from causallearn.search.ScoreBased import GES
from causallearn.utils.DAG2CPDAG import dag2cpdag

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.knowledge import Facts
from glance_pipeline.graph.search.algorithms.equivalence import class_marks
from glance_pipeline.graph.search.algorithms.independence import node_names
from glance_pipeline.graph.search.correlations import Sample


class ResampledScore:
    """Bayesian information criterion of one node given parents; higher is better.

    −n/2 · log(|Σ_XP| / |Σ_P|) − penalty · |X|·|P|/2 · log n, up to a constant of the node (Schwarz
    1978; for the columns of a categorical feature, Andrews, Ramsey, Cooper 2019). n is the sample's
    effective number of rows. A bootstrap resample repeats rows, and with its own number of rows the
    likelihood would gain twice as much from an edge that is not there: 4 % of unrelated pairs would
    be joined at 5,000 rows, and not the 0.5 % that the criterion stands for.

    Args:
        sample: correlations of L nodes.
        penalty: in units of the criterion's own; more of it, fewer edges.
    """

    def __init__(self, sample: Sample, penalty: float) -> None:
        self.sample = sample
        self.weight = penalty * math.log(sample.effective_rows) / 2
        self.data = np.zeros((1, len(sample)))  # causal-learn asks for the number of columns
        self._scores: dict[tuple[int, tuple[int, ...]], float] = {}
        self._determinants: dict[tuple[int, ...], float] = {}

    def score(self, node: int, parents: list[int]) -> float:
        """Return the score of ``node`` given ``parents``."""
        key = (int(node), tuple(sorted(int(parent) for parent in parents)))
        if key not in self._scores:
            gain = self._log_determinant(key[1]) - self._log_determinant(
                tuple(sorted((key[0], *key[1])))
            )
            blocks = self.sample.blocks
            parameters = len(blocks[key[0]]) * sum(len(blocks[parent]) for parent in key[1])
            self._scores[key] = self.sample.effective_rows / 2 * gain - self.weight * parameters
        return self._scores[key]

    @property
    def asked(self) -> bool:
        """Whether any score was asked for."""
        return bool(self._scores)

    score_nocache = score  # causal-learn's tree asks for it by this name

    def _log_determinant(self, nodes: tuple[int, ...]) -> float:
        if nodes not in self._determinants:
            columns = self.sample.columns(nodes)
            matrix = self.sample.invertible[columns][:, columns]
            self._determinants[nodes] = float(np.linalg.slogdet(matrix)[1])
        return self._determinants[nodes]


def search_ges(
    sample: Sample, settings: GraphSearchParameters, facts: Facts, seed: np.random.SeedSequence
) -> np.ndarray:
    """Return the equivalence class of a sample, by greedy equivalence search (Chickering 2002).

    Args:
        sample: correlations of L nodes.
        settings: ``penalty`` of the score.
        facts: the user's background knowledge.
        seed: not used.

    Returns:
        int8 (L, L), as ``search`` has it.

    Raises:
        RuntimeError: if this version of causal-learn does not take the score.
    """
    score = ResampledScore(sample, settings.penalty)

    def our_score(**library: Any) -> ResampledScore:
        return score

    # ``ges`` knows scores by name only, none of them for the columns of a categorical feature: it
    # is run with our score in the place of the class that it builds its own with.
    ges = FunctionType(
        GES.ges.__code__,
        {**GES.ges.__globals__, "LocalScoreClass": our_score},
        argdefs=GES.ges.__defaults__,
    )
    found = ges(
        cov=np.eye(len(sample)), n=sample.effective_rows, node_names=node_names(len(sample))
    )
    if len(sample) > 1 and not score.asked:
        raise RuntimeError(
            f"causal-learn {version('causal-learn')}: its GES did not ask the score it was given; "
            "0.1.4 does. Install that version, or set discover.search.method to another one"
        )
    return class_marks(found["G"], facts)


def search_boss(
    sample: Sample, settings: GraphSearchParameters, facts: Facts, seed: np.random.SeedSequence
) -> np.ndarray:
    """Return the equivalence class of a sample, by best order score search (Andrews et al. 2023).

    The loop is that of causal-learn's ``boss``, which shuffles with Python's global generator; here
    the order in which nodes are moved depends on ``seed``.

    Args:
        sample: correlations of L nodes.
        settings: ``penalty`` of the score.
        facts: the user's background knowledge.
        seed: seed of the order in which nodes are moved.

    Returns:
        int8 (L, L), as ``search`` has it.
    """
    generator = np.random.default_rng(seed)
    score = ResampledScore(sample, settings.penalty)
    order = list(range(len(sample)))
    trees = [GST(node, score) for node in order]
    improved = True
    while improved:
        moves = [better_mutation(node, order, trees) for node in generator.permutation(len(sample))]
        improved = any(moves)
    nodes = [GraphNode(name) for name in node_names(len(sample))]
    graph = Dag(nodes)
    for place, node in enumerate(order):
        parents: list[int] = []
        trees[node].trace(order[:place], parents)
        for parent in parents:
            graph.add_directed_edge(nodes[parent], nodes[node])
    return class_marks(dag2cpdag(graph), facts)

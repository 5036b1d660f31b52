"""Edges that the resamples hold, tested again without the assumption of a Gaussian copula."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, islice

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.causal_graph import Edge
from glance_pipeline.graph.model.evidence import Reexamination
from glance_pipeline.graph.search.columns import SearchColumns
from glance_pipeline.support.seeding import numpy_generator, seed_sequence

TESTS = {"rcit": "RCIT (causal-learn)"}

FEWEST_ROWS = 500
"""With fewer the test has so little power that it would drop edges which are there."""

FEWEST_OTHER_ROWS = 20
"""Of a label that fewer rows have, or lack, the test sees little: where five of 5,000 rows have it,
not even a shift of another column by 2 standard deviations."""


def reexamine(
    edges: Sequence[Edge],
    columns: SearchColumns,
    settings: GraphSearchParameters,
    required: Collection[frozenset[str]] = (),
    *,
    seed: int,
    workers: int,
) -> list[Edge]:
    """Return the edges with a nonparametric test each, with a progress bar.

    Fisher's Z on normal scores sees linear dependence of the copula only: given a cause whose
    effect is not monotone it calls independent concepts dependent. Each edge is tested again on the
    values themselves, by the randomized conditional independence test (Strobl, Zhang, Visweswaran
    2019), given sets of the neighbours of either end: as in PC, one set that separates the pair is
    enough to drop the edge. Given nothing, the rank correlation that held the edge rests on no
    assumption, so the empty set is not tried and a pair without neighbours is not re-examined. Nor
    is a label that hardly any row has. An edge that the user requires stays. Smaller sets and
    closer neighbours come first.

    Args:
        edges: between nodes of ``columns``.
        columns: columns of the search.
        settings: level ``alpha``, largest set ``depth``, rows and sets at most.
        required: pairs of names that the user requires.
        seed: seed of the run; each edge has a stream of its own.
        workers: joblib workers; the result does not depend on it.
    """
    values = _testable(columns, settings.reexamination_rows, seed)
    between = [edge for edge in edges if {edge.source, edge.target} <= values.keys()]
    tasks = (
        delayed(_largest_p_value)(
            (edge.source, edge.target),
            values,
            conditioning_sets(edge, between, settings.depth, settings.reexamination_sets),
            settings.alpha,
            seed_sequence(seed, "re-examination", edge.source, edge.target),
        )
        for edge in edges
    )
    results = Parallel(n_jobs=max(1, min(workers, len(edges))), return_as="generator")(tasks)
    found = list(tqdm(results, total=len(edges), desc="re-examination", unit="edge"))
    examined = []
    for edge, result in zip(edges, found, strict=True):
        if result is not None:
            p_value, given = result
            kept = p_value <= settings.alpha or frozenset((edge.source, edge.target)) in required
            edge = replace(edge, reexamination=Reexamination(TESTS["rcit"], p_value, given, kept))
        examined.append(edge)
    return examined


def _testable(columns: SearchColumns, rows: int, seed: int) -> dict[str, np.ndarray]:
    """Return the values (rows, columns) of each node that the test can see, on rows drawn.

    They are left in random order, as the test takes the widths of its kernels from the first 500.
    """
    order = numpy_generator(seed, "re-examination", "rows").permutation(len(columns.values))
    chosen = columns.values[order[:rows]]
    values = {}
    for name, block in zip(columns.names, columns.blocks, strict=True):
        node = chosen[:, list(block)]
        commonest = np.unique(node, axis=0, return_counts=True)[1].max()
        if len(node) - commonest >= FEWEST_OTHER_ROWS:
            values[name] = node
    return values


def conditioning_sets(
    edge: Edge, edges: Sequence[Edge], depth: int, largest_number: int
) -> list[tuple[str, ...]]:
    """Return sets of neighbours of either end, smaller ones first, closer neighbours first.

    The empty set is none of them.

    Args:
        edge: between two nodes.
        edges: edges of the graph.
        depth: largest set.
        largest_number: of sets.
    """
    ends = (edge.source, edge.target)
    closeness: dict[str, float] = {}
    neighbours: dict[str, set[str]] = {end: set() for end in ends}
    for other in edges:
        for end, beside in ((other.source, other.target), (other.target, other.source)):
            if end in ends and beside not in ends:
                neighbours[end].add(beside)
                closeness[beside] = max(closeness.get(beside, 0.0), abs(other.strength))
    order = sorted(closeness, key=lambda name: (-closeness[name], name))
    sets = (
        given
        for size in range(1, depth + 1)
        for given in combinations(order, size)
        if any(beside.issuperset(given) for beside in neighbours.values())
    )
    return list(islice(sets, largest_number))


def _largest_p_value(
    pair: tuple[str, str],
    values: Mapping[str, np.ndarray],
    sets: Sequence[tuple[str, ...]],
    alpha: float,
    seed: np.random.SeedSequence,
) -> tuple[float, tuple[str, ...]] | None:
    """Return the largest p-value and its set; the first above ``alpha`` ends the search.

    None if there is no set, or no test of one of the pair.
    """
    if not sets or not values.keys() >= set(pair):
        return None
    from glance_pipeline.graph.search.nonparametric import RandomizedTest

    test = RandomizedTest(np.random.default_rng(seed))
    largest: tuple[float, tuple[str, ...]] = (-1.0, ())
    for given in sets:
        beside = np.hstack([values[name] for name in given])
        p_value = test(values[pair[0]], values[pair[1]], beside)
        if p_value > largest[0]:
            largest = p_value, given
        if p_value > alpha:
            break
    return largest

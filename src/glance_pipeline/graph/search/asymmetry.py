"""Directions that functional asymmetry prefers where observations leave them open: mere hints."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from tqdm import tqdm

from glance_pipeline.graph.model.causal_graph import Edge
from glance_pipeline.graph.model.evidence import Suggestion
from glance_pipeline.graph.search.columns import SearchColumns
from glance_pipeline.support.seeding import numpy_generator

Asymmetry = Literal["additive_noise", "lingam"]

METHODS: dict[str, str] = {
    "additive_noise": "additive noise model (causal-learn)",
    "lingam": "DirectLiNGAM (causal-learn)",
}

_ROWS = 500
"""A Gaussian process, as the additive noise model fits twice, takes the cube of the rows."""


def suggest_directions(
    edges: Sequence[Edge], columns: SearchColumns, method: Asymmetry, seed: int
) -> list[Edge]:
    """Return the edges, those with a circle at both ends with a suggested direction.

    An additive noise model (Hoyer et al. 2009) and DirectLiNGAM (Shimizu et al. 2011) tell cause
    from effect by a residual that is independent of the cause one way round only. Both assume noise
    that is added, and neither allows for a hidden common cause. Where that is not so they may be
    wrong with confidence: the docs (Functional asymmetry) have a case. A suggestion sets no
    mark. Categorical features get none.

    Args:
        edges: edges of the graph.
        columns: columns of the search.
        method: ``additive_noise`` or ``lingam``.
        seed: seed of the run; it draws the rows, 500 at most, that each pair is judged on.
    """
    blocks = dict(zip(columns.names, columns.blocks, strict=True))
    rows = numpy_generator(seed, "asymmetry", "rows").permutation(len(columns.values))[:_ROWS]
    suggested = []
    for edge in tqdm(edges, desc="functional asymmetry", unit="edge"):
        pair = [blocks[edge.source], blocks[edge.target]]
        is_open = edge.mark_at_source == edge.mark_at_target == "circle"
        if not is_open or any(len(block) > 1 for block in pair):
            suggested.append(edge)
            continue
        source, target = (columns.values[rows, block[0]] for block in pair)
        suggestion = prefer(edge.source, edge.target, source, target, method)
        suggested.append(replace(edge, suggestion=suggestion))
    return suggested


def prefer(
    one: str, other: str, first: np.ndarray, second: np.ndarray, method: Asymmetry
) -> Suggestion | None:
    """Return the direction that ``method`` prefers between two columns, (rows,) each.

    None if the additive noise model fits as well, or as badly, either way round.
    """
    first, second = ((column - column.mean()) / column.std() for column in (first, second))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a kernel width at its bound
        judge = _additive_noise if method == "additive_noise" else _lingam
        forward, p_forward, p_backward = judge(first, second)
    if method == "additive_noise" and p_forward == p_backward:
        return None
    names, p_values = ((one, other), (p_forward, p_backward))
    if not forward:
        names, p_values = (other, one), (p_backward, p_forward)
    return Suggestion(METHODS[method], *names, *p_values)


def _additive_noise(first: np.ndarray, second: np.ndarray) -> tuple[bool, float, float]:
    from causallearn.search.FCMBased.ANM.ANM import ANM

    forward, backward = ANM().cause_or_effect(first[:, None], second[:, None])
    return bool(forward >= backward), float(forward), float(backward)


def _lingam(first: np.ndarray, second: np.ndarray) -> tuple[bool, float, float]:
    from causallearn.search.FCMBased.lingam import DirectLiNGAM
    from causallearn.search.FCMBased.lingam.hsic import hsic_test_gamma

    model = DirectLiNGAM()
    model.fit(np.stack([first, second], axis=1))
    slope = float(first @ second) / len(first)  # both have variance 1
    forward, backward = (
        hsic_test_gamma((effect - slope * cause)[:, None], cause[:, None])[1]
        for cause, effect in ((first, second), (second, first))
    )
    return model.causal_order_[0] == 0, float(forward), float(backward)

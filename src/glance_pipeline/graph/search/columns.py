"""Columns made ready for the independence test: checked, and brought to normal scores."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glance_pipeline.graph.search.correlations import Block
from glance_pipeline.support.normal_scores import normal_scores
from glance_pipeline.twin.concept_table import ConceptTable

# A column of which less than this share of the variance is its own (not told by those before it)
# says nothing new, and given the others nothing depends on it: faithfulness, on which the search
# rests, fails. For two columns it is |correlation| > 0.995.
OWN_VARIANCE = 0.01
ROWS_PER_COLUMN = 5
FEWEST_ROWS = 30


@dataclass(frozen=True)
class SearchColumns:
    """The nodes that a search can use, with their columns.

    Attributes:
        names: names of L nodes, in the order of the table.
        scores: float64 (rows, C): normal scores of quantities, the levels of categorical features
            as they are, one level of each feature left out.
        values: float64 (rows, C): the same columns as the table has them.
        blocks: the columns of each node, numbers into ``scores``.
        exclusions: the reason by name of each node that cannot be used.
    """

    names: list[str]
    scores: np.ndarray
    values: np.ndarray
    blocks: tuple[Block, ...]
    exclusions: dict[str, str]


def fewest_rows(columns: int) -> int:
    """Return the fewest rows with which that many columns can be searched."""
    return max(FEWEST_ROWS, ROWS_PER_COLUMN * columns)


def search_columns(table: ConceptTable) -> SearchColumns:
    """Say which nodes an independence test can use, and bring their columns to scores.

    A level of a categorical feature is left as it is: 0 or 1, or a probability near them. The order
    of images within a level is the student's noise, and ranks would make much of it. The levels
    add up to 1, so the most frequent one is left out and the others are measured against it.

    Raises:
        ValueError: if values are missing or infinite, or rows are too few.
    """
    frame = table.concepts
    check_rows(frame)
    names: list[str] = []
    blocks: list[Block] = []
    exclusions: dict[str, str] = {}
    kept: list[str] = []
    known: dict[str, np.ndarray] = {}
    for node, columns in table.nodes().items():
        candidates = _standard_scores(frame, columns, bool(table.levels(node)))
        usable, reason = _usable(candidates, known)
        if reason:
            exclusions[node] = reason
            continue
        names.append(node)
        blocks.append(tuple(range(len(kept), len(kept) + len(usable))))
        kept += usable
        known |= {column: candidates[column] for column in usable}
    scores = np.stack(list(known.values()), axis=1) if known else np.empty((len(frame), 0))
    return SearchColumns(names, scores, frame[kept].to_numpy(np.float64), tuple(blocks), exclusions)


def check_rows(frame: pd.DataFrame) -> None:
    """Raise a ``ValueError`` where values are missing or infinite, or rows are too few."""
    values = frame.to_numpy(np.float64)
    broken = ~np.isfinite(values)
    if broken.any():
        counts = {str(c): int(n) for c, n in zip(frame, broken.sum(0), strict=True) if n}
        raise ValueError(f"discovery needs finite values; missing or infinite rows: {counts}")
    needed = fewest_rows(values.shape[1])
    if len(values) < needed:
        raise ValueError(
            f"discovery over {values.shape[1]} concepts needs at least {needed} rows "
            f"({ROWS_PER_COLUMN} per concept, and {FEWEST_ROWS}); there are {len(values)}"
        )


def _standard_scores(
    frame: pd.DataFrame, columns: tuple[str, ...], levels: bool
) -> dict[str, np.ndarray]:
    """Return a node's columns of mean 0 and variance 1, but constants, and one of the levels."""
    values = {column: frame[column].to_numpy(np.float64) for column in columns}
    varying = {
        column: value
        for column, value in values.items()
        if np.ptp(value) > 1e-9 * max(1.0, float(np.abs(value).max()))
    }
    if levels and len(varying) > 1:
        del varying[max(varying, key=lambda column: varying[column].mean())]
    scores = {
        column: value if levels else normal_scores(value[:, None])[:, 0]
        for column, value in varying.items()
    }
    return {column: (score - score.mean()) / score.std() for column, score in scores.items()}


def _usable(
    candidates: dict[str, np.ndarray], known: dict[str, np.ndarray]
) -> tuple[list[str], str]:
    """Return the columns of a node to keep, and why there are none.

    A level that the node's own others determine goes without loss. One that other nodes help to
    determine takes the whole node with it: what is left would not be the feature.
    """
    if not candidates:
        return [], "constant"
    kept: dict[str, np.ndarray] = {}
    for column, scores in candidates.items():
        if kept and _told_by(scores, kept):
            continue
        reason = _told_by(scores, known | kept)
        if reason:
            return [], reason if len(candidates) == 1 else f"{column!r}: {reason}"
        kept[column] = scores
    return list(kept), ""


def _told_by(scores: np.ndarray, columns: dict[str, np.ndarray]) -> str | None:
    """Return why ``scores`` add nothing to ``columns`` (all standardised), None if they do."""
    if not columns:
        return None
    before = np.stack(list(columns.values()), axis=1)
    correlations = before.T @ scores / len(scores)
    closest = int(np.abs(correlations).argmax())
    if correlations[closest] ** 2 > 1 - OWN_VARIANCE:
        name = list(columns)[closest]
        return f"duplicate of {name!r} (rank correlation {correlations[closest]:.4f})"
    weights = np.linalg.lstsq(before, scores, rcond=None)[0]
    own = float(np.mean((scores - before @ weights) ** 2))
    if own < OWN_VARIANCE:
        return f"determined by the concepts before it (R² = {1 - own:.4f})"
    return None

"""Tables and samples that the tests of discovery search."""

import numpy as np
import pandas as pd

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.graph.model.knowledge import Facts, facts_of
from glance_pipeline.graph.search.correlations import Sample, correlate
from glance_pipeline.twin.concept_table import ConceptTable


def table(features: dict[str, str] | None = None, **columns: np.ndarray) -> ConceptTable:
    frame = pd.DataFrame(columns)
    kinds, units = dict.fromkeys(columns, "aligned"), dict.fromkeys(columns, "")
    return ConceptTable(frame, pd.DataFrame(index=frame.index), kinds, units, features or {})


def normal(seed: int, rows: int = 2000, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(columns, rows))


def sample_of(values: np.ndarray, rows: float | None = None) -> Sample:
    """Each column a node; as many effective rows as there are unless told."""
    blocks = tuple((column,) for column in range(values.shape[1]))
    return Sample(correlate(values), blocks, rows or len(values))


def nothing_known(number: int) -> Facts:
    return facts_of(Knowledge(), [str(node) for node in range(number)])


def dense(seed: int, nodes: int = 10, hidden: int = 2, degree: float = 4.0) -> np.ndarray:
    """Columns of a random linear model with hidden causes, 3,000 rows, each of variance 1."""
    rng = np.random.default_rng(seed)
    every = nodes + hidden
    weights = rng.uniform(0.4, 1, (every, every)) * rng.choice([-1, 1], (every, every))
    weights *= np.tril(rng.random((every, every)) < degree / (every - 1), -1)
    values = np.zeros((3000, every))
    for node in range(every):
        values[:, node] = values @ weights[node] + rng.normal(size=3000)
        values[:, node] /= values[:, node].std()
    return values[:, rng.permutation(every)[:nodes]]


def one_hot(levels: np.ndarray, feature: str) -> dict[str, np.ndarray]:
    """Columns ``feature=level``, 0 or 1, of integer levels."""
    return {f"{feature}={level}": (levels == level).astype(float) for level in np.unique(levels)}

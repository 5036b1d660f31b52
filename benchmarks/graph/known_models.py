"""Structural models of which everything is known, to draw columns from."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
from scipy.special import expit

from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable

LINKS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda x: x,
    lambda x: np.tanh(1.5 * x),
    lambda x: x + 0.5 * np.sin(2 * x),
    lambda x: np.exp(x / 2),
)
"""What a cause passes on; all monotone, and all but the first nonlinear."""

DISTORTIONS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda x: x,
    lambda x: np.exp(x / 2),
    lambda x: expit(1.5 * x),
)
"""How a column is measured: a post-nonlinear model, as DESIGN's own digits are."""

EXPLAINED = (0.35, 0.65)
"""Share of a node's variance that its causes explain: low, high."""


@dataclass(frozen=True)
class KnownModel:
    """A structural model with hidden and observed variables.

    Attributes:
        name: what tables call it.
        causes: a directed acyclic graph, cause → effect, over observed and hidden variables.
        observed: the columns, in their order.
        draw: returns that many rows of the observed columns.
    """

    name: str
    causes: nx.DiGraph
    observed: tuple[str, ...]
    draw: Callable[[int, np.random.Generator], pd.DataFrame]

    def table(self, rows: int, seed: int) -> ConceptTable:
        """Draw a concept table; no prediction takes part."""
        frame = self.draw(rows, numpy_generator(seed, "known model", self.name, "rows"))
        frame = frame[list(self.observed)]
        kinds = dict.fromkeys(self.observed, "aligned")
        return ConceptTable(
            frame, pd.DataFrame(index=frame.index), kinds, dict.fromkeys(self.observed, "")
        )


def digit_model(scenario: str) -> KnownModel:
    """Return the structural model that the project's digits are drawn from."""
    model = STRUCTURAL_MODELS[scenario]
    causes = nx.DiGraph(list(model.edges))
    causes.add_nodes_from(model.nodes)
    return KnownModel(scenario, causes, model.nodes, model.draw)


def confounded_model() -> KnownModel:
    """Return two concepts with a hidden common cause, each with an observed cause of its own.

    The two further causes make it possible to tell: the partial ancestral graph of what is
    observed is size o-> width <-> shade <-o light.
    """

    def draw(rows: int, generator: np.random.Generator) -> pd.DataFrame:
        size, light, distance, noise_width, noise_shade = generator.standard_normal((5, rows))
        return pd.DataFrame(
            {
                "size": np.exp(size / 2),
                "light": light,
                "width": 5 * expit(size - distance + 0.5 * noise_width),
                "shade": 255 * expit(light + distance + 0.5 * noise_shade),
            }
        )

    causes = nx.DiGraph(
        [("size", "width"), ("distance", "width"), ("distance", "shade"), ("light", "shade")]
    )
    return KnownModel("confounder", causes, ("size", "light", "width", "shade"), draw)


def random_model(nodes: int, hidden: int, degree: float, seed: int, index: int) -> KnownModel:
    """Draw a structural model: monotone nonlinear links, noise of three shapes, distorted columns.

    Args:
        nodes: number of observed variables.
        hidden: number of hidden common causes, each of two observed variables that are not joined.
        degree: expected number of neighbours of an observed variable, hidden ones not counted.
        seed: seed of the run.
        index: index of the model.
    """
    generator = numpy_generator(seed, "known model", nodes, hidden, index)
    observed = tuple(f"v{number}" for number in range(nodes))
    causes = nx.DiGraph()
    causes.add_nodes_from(observed)
    pairs = list(combinations(observed, 2))  # causes come first
    drawn = generator.random(len(pairs)) < degree / (nodes - 1)
    causes.add_edges_from(pair for pair, kept in zip(pairs, drawn, strict=True) if kept)
    apart = [pair for pair, kept in zip(pairs, drawn, strict=True) if not kept]
    for number, pair in enumerate(generator.permutation(len(apart))[:hidden]):
        causes.add_edges_from((f"hidden{number}", name) for name in apart[pair])
    shape_seed = int(generator.integers(2**31))
    order = tuple(nx.lexicographical_topological_sort(causes))

    def draw(rows: int, generator: np.random.Generator) -> pd.DataFrame:
        shapes = np.random.default_rng(shape_seed)
        values: dict[str, np.ndarray] = {}
        columns: dict[str, np.ndarray] = {}
        for name in order:
            noise = _noise(int(shapes.integers(3)), rows, generator)
            share = shapes.uniform(*EXPLAINED)
            signal = np.zeros(rows)
            for cause in sorted(causes.predecessors(name)):
                weight = shapes.uniform(0.6, 1.0) * shapes.choice([-1, 1])
                signal += weight * _standard(LINKS[shapes.integers(len(LINKS))](values[cause]))
            has_causes = bool(causes.in_degree(name))
            mixed = np.sqrt(share) * _standard(signal) + np.sqrt(1 - share) * noise
            values[name] = mixed if has_causes else noise
            columns[name] = DISTORTIONS[shapes.integers(len(DISTORTIONS))](values[name])
        return pd.DataFrame({name: columns[name] for name in observed})

    return KnownModel(f"random {index + 1}, {hidden} hidden", causes, observed, draw)


def _noise(shape: int, rows: int, generator: np.random.Generator) -> np.ndarray:
    """Draw noise of mean 0 and variance 1: normal, uniform or Laplace."""
    if shape == 0:
        return generator.standard_normal(rows)
    if shape == 1:
        return generator.uniform(-np.sqrt(3), np.sqrt(3), rows)
    return generator.laplace(0, np.sqrt(0.5), rows)


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)

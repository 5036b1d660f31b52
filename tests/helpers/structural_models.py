"""Structural models of a glass box, in which everything follows along straight lines."""

import numpy as np
import pandas as pd

from glance_pipeline.graph.structural.allowed_graphs import AllowedGraphs
from glance_pipeline.graph.structural.directed import Dag, families
from glance_pipeline.graph.structural.mechanisms import SplineMechanism
from glance_pipeline.graph.structural.structural_model import StructuralModels


def straight_models(surrogate, slopes: dict[tuple[str, str], float], *graphs: Dag):
    """Models in which a concept moves by slope · (standard deviations that its cause moved).

    Args:
        surrogate: whose concepts they are, all continuous.
        slopes: by (cause, effect).
        graphs: each a tuple of such pairs.
    """
    nodes = tuple(c.name for c in surrogate.concepts)
    along = np.linspace(-3, 3, 200)
    mechanisms = {}
    for graph in graphs:
        for node, causes in families(nodes, graph):
            if not causes:
                continue
            scales = [surrogate.concept(cause) for cause in causes]
            draws = np.stack([np.roll(along, 67 * k) for k in range(len(causes))], 1)
            values = draws @ [slopes[cause, node] for cause in causes]
            mechanisms[node, causes] = SplineMechanism.fit(
                np.stack([c.to_units(draws[:, k]) for k, c in enumerate(scales)], 1),
                surrogate.concept(node).to_units(values),
                3,
            )
    observed = pd.DataFrame(dict.fromkeys(nodes, along))
    return StructuralModels(
        nodes, observed, (), AllowedGraphs(graphs, True, ()), mechanisms, {}, None
    )

"""Search algorithms of causal-learn, behind one call.

causal-learn takes two seconds to import, so the modules of this package import late; nor do they
import torch, since each worker imports what it runs.
"""

from collections.abc import Callable

import numpy as np

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.knowledge import Facts
from glance_pipeline.graph.search.correlations import Sample

TITLES = {
    "fci": "FCI (causal-learn), majority of bootstrap resamples",
    "pc": "PC (causal-learn), majority of bootstrap resamples",
    "ges": "GES (causal-learn), majority of bootstrap resamples",
    "boss": "BOSS (causal-learn), majority of bootstrap resamples",
}
"""What ``SearchRecord.method`` says of each method."""


def search(
    sample: Sample, settings: GraphSearchParameters, facts: Facts, seed: np.random.SeedSequence
) -> np.ndarray:
    """Return the graph that one sample shows, by ``settings.method``.

    What the user knows is part of every search: its marks are set before the orientation rules
    are followed to their end. Edges that are required, but not found, are not added here.

    Args:
        sample: correlations of L nodes.
        settings: method, level or penalty, depth.
        facts: the user's background knowledge.
        seed: seed of what the method draws; BOSS alone draws anything.

    Returns:
        int8, (L, L): the mark at node j of the edge i – j in row i: −1 tail, 1 arrow, 2 circle, 0
        for no edge. FCI's marks are those of a partial ancestral graph. The other methods assume
        that there are no hidden common causes; an edge that their equivalence class leaves
        undirected has circles.
    """
    return _method(settings.method)(sample, settings, facts, seed)


def _method(
    name: str,
) -> Callable[[Sample, GraphSearchParameters, Facts, np.random.SeedSequence], np.ndarray]:
    if name == "fci":
        from glance_pipeline.graph.search.algorithms.fci import search_fci

        return search_fci
    if name == "pc":
        from glance_pipeline.graph.search.algorithms.pc import search_pc

        return search_pc
    from glance_pipeline.graph.search.algorithms.scored import search_boss, search_ges

    return search_ges if name == "ges" else search_boss

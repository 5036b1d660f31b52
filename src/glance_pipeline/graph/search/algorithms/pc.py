"""PC, of causal-learn's parts. Imports causal-learn: import this late."""

import numpy as np
from causallearn.utils.PCUtils.Meek import meek
from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery
from causallearn.utils.PCUtils.UCSepset import uc_sepset

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.knowledge import Facts
from glance_pipeline.graph.search.algorithms.equivalence import class_marks
from glance_pipeline.graph.search.algorithms.independence import ResampledTest, node_names
from glance_pipeline.graph.search.correlations import Sample


def search_pc(
    sample: Sample, settings: GraphSearchParameters, facts: Facts, seed: np.random.SeedSequence
) -> np.ndarray:
    """Return the equivalence class of a sample, by PC (Spirtes, Glymour 1991; stable skeleton).

    The three steps of causal-learn's ``pc`` with its defaults: skeleton, unshielded colliders (the
    one found first is kept where two contradict each other), Meek's rules.

    Args:
        sample: correlations of L nodes.
        settings: level ``alpha``, largest conditioning set ``depth``.
        facts: the user's background knowledge.
        seed: not used.

    Returns:
        int8 (L, L), as ``search`` has it.
    """
    test = ResampledTest(sample, settings.depth)
    skeleton = skeleton_discovery(
        test.data,
        settings.alpha,
        test,
        show_progress=False,
        node_names=node_names(len(sample)),
        max_k=settings.depth,
    )
    return class_marks(meek(uc_sepset(skeleton, 2)).G, facts)

"""How a causal graph was found: settings and numbers that a reader needs to judge it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SearchRecord:
    """How the edges among concepts were found.

    Attributes:
        method: search algorithm and its library.
        test: conditional independence test.
        alpha: its level.
        threshold: share of resamples that an edge of the graph needs.
        depth: largest conditioning set.
        resamples: number of bootstrap resamples.
        rows: number of images.
        rows_per_resample: rows drawn for each resample.
        seed: seed of the run.
        exclusions: reason by name of each concept that the search left out.
        reexamination_test: nonparametric test of the edges that the resamples held; empty if
            they were not re-examined.
        knowledge: the user's background knowledge, a sentence an item.
    """

    method: str
    test: str
    alpha: float
    threshold: float
    depth: int
    resamples: int
    rows: int
    rows_per_resample: int
    seed: int
    exclusions: dict[str, str] = field(default_factory=dict)
    reexamination_test: str = ""
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True)
class InterventionRecord:
    """How concept → prediction edges were tested.

    Attributes:
        images: held-out images intervened on.
        step: size of the intervention, in standard deviations of the code.
        resamples: bootstrap resamples of the images.
        alpha: family-wise level after correction.
        correction: for the number of tests.
        tests: number of tests in each family (associations, effects).
        minimum_effect: smallest standardised effect called used.
        minimum_correlation: smallest correlation called only associated.
        seed: seed of the run.
        exclusions: reason by name of each concept that could not be moved.
        curve_tests: tests of dose–response curves, which are of the family of effects.
        interaction_tests: number of tests in the family of interactions.
        other_classes: classes of the classifier that are no predictions of the graph.
    """

    images: int
    step: float
    resamples: int
    alpha: float
    correction: str
    tests: int
    minimum_effect: float
    minimum_correlation: float
    seed: int
    exclusions: dict[str, str] = field(default_factory=dict)
    curve_tests: int = 0
    interaction_tests: int = 0
    other_classes: int = 0


@dataclass(frozen=True)
class Falsification:
    """dowhy's falsification test of one graph (Eulig et al. 2023, arXiv 2305.09565).

    Attributes:
        violations: local Markov conditions of the graph that the data reject at 5 %.
        tests: local Markov conditions tested.
        p_value: share of graphs with permuted nodes that violate no larger share of theirs. A graph
            that is no better than chance has a large one.
        p_value_equivalent: share of permuted graphs that imply the same conditions; where it is
            above 5 % the test can tell little.
        rows: images tested on.
        permutations: permutations of the nodes.
    """

    violations: int
    tests: int
    p_value: float
    p_value_equivalent: float
    rows: int
    permutations: int

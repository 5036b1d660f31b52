"""How often a counterfactual is found, how many concepts it changes, and how long it takes."""

import time
from statistics import median
from typing import Any, get_args

import numpy as np

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters, Strategy
from glance_pipeline.explanations import CounterfactualSearch, Subjects
from glance_pipeline.explanations.result.explanation import Counterfactuals
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import TwinSurrogate

TARGETS = ("runner_up", "random")


def measure_counterfactuals(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    parameters: ExplainParameters,
    seed: int = 0,
) -> dict[str, Any]:
    """Search counterfactuals of each image, to its runner-up and to a random other class.

    Args:
        surrogate: the aligned twin surrogate.
        classifier: the teacher.
        images: held-out ones, uint8 (N, C, H, W).
        parameters: parameters of a run; its strategy is the one that counts.
        seed: seed of the random classes, one for each image, never the one the teacher gives it.

    Returns:
        ``strategy`` and its figures, and under ``strategies`` those of every strategy by name:

        - ``coverage_runner_up``, ``coverage_random``: share of the images for which the teacher
          confirmed at least one counterfactual;
        - ``median_concepts``: concepts changed by the first counterfactual of an image, over all
          that have one to either target; ``median_concepts_runner_up`` and ``_random`` apart;
        - ``ms_per_image``: milliseconds an image from pixels to verified counterfactuals (encoding
          and reconstruction are in it), of the target that takes longer;
          ``ms_per_image_runner_up`` and ``_random`` apart. One batch goes before the clock starts.
    """
    targets = random_targets(classifier, images, seed)
    strategies = {
        name: _measure(surrogate, classifier, images, targets, parameters, name)
        for name in get_args(Strategy)
    }
    chosen = parameters.search.strategy
    return {"strategy": chosen, **strategies[chosen], "strategies": strategies}


def random_targets(classifier: Classifier, images: np.ndarray, seed: int) -> list[int]:
    """Draw a class for each of ``images``, uint8 (N, C, H, W), other than the teacher's answer."""
    generator = numpy_generator(seed, "benchmark", "counterfactual", "targets")
    own = classifier.answers(images).logits.argmax(1).numpy()
    classes = len(classifier.class_names)
    return [int(k) for k in (own + generator.integers(1, classes, len(images))) % classes]


def _measure(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    targets: list[int],
    parameters: ExplainParameters,
    strategy: str,
) -> dict[str, float]:
    search = CounterfactualSearch(
        surrogate,
        classifier,
        number=parameters.number_of_counterfactuals,
        parameters=parameters.search.model_copy(update={"strategy": strategy}),
    )
    at_once = parameters.at_once
    figures: dict[str, float] = {}
    changed: dict[str, list[int]] = {}
    for target, classes in zip(TARGETS, (None, targets), strict=True):
        search.explain(Subjects.see(surrogate, classifier, images[:at_once]))
        outcomes: list[Counterfactuals] = []
        began = time.perf_counter()
        for start in range(0, len(images), at_once):
            part = slice(start, start + at_once)
            subjects = Subjects.see(surrogate, classifier, images[part])
            outcomes += search.explain(subjects, classes and classes[part])
        seconds = time.perf_counter() - began
        changed[target] = [len(o.found[0].changes) for o in outcomes if o.found]
        figures |= {
            f"coverage_{target}": len(changed[target]) / len(images),
            f"median_concepts_{target}": _median(changed[target]),
            f"ms_per_image_{target}": 1000 * seconds / len(images),
        }
    return figures | {
        "median_concepts": _median([count for counts in changed.values() for count in counts]),
        "ms_per_image": max(figures[f"ms_per_image_{target}"] for target in TARGETS),
    }


def _median(counts: list[int]) -> float:
    return float(median(counts)) if counts else float("nan")

"""Average effects of do(concept) on the teacher's margins, measured on generated images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.graph.effects.doses import Response, measure_response
from glance_pipeline.graph.effects.levels import change_by_level
from glance_pipeline.graph.effects.outcomes import Changes, margins_of
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import Codes, TwinSurrogate


class Effects(NamedTuple):
    """Average effects of one concept on K margins, in logits per standard deviation.

    Attributes:
        value: (K,).
        resampled: (resamples, K), the same on bootstrap resamples of the images.
        magnitude: (K,), mean over images of the absolute effect.
        images: N, number of images.
    """

    value: np.ndarray
    resampled: np.ndarray
    magnitude: np.ndarray
    images: int


class Measured(NamedTuple):
    """What interventions on one node of the graph did.

    Attributes:
        effects: by the column of the concept table: one, or those of all levels of a categorical
            feature.
        response: margins over the values that the node was set to; None where not asked for.
    """

    effects: dict[str, Effects]
    response: Response | None = None


@torch.no_grad()
def change_by_intervention(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    codes: Codes,
    name: str,
    step: float,
    outcomes: Sequence[int] | None = None,
) -> Changes:
    """Generate each image with one concept raised and lowered, and ask the teacher.

    Args:
        surrogate: generates.
        classifier: the teacher f; it answers on generated images, the student is not asked.
        codes: of N images.
        name: the concept to move.
        step: to either side of the image's own value, in standard deviations of the code. Values
            are clamped to the concept's [low, high], so that no image is asked for that is unlike
            all training images; an image beyond that interval moves less.
        outcomes: numbers of the classes whose margins are wanted; None takes all.
    """
    above, below = either_side(surrogate, codes, name, step)
    high, low = (
        margins_of(surrogate, classifier, surrogate.intervene(codes, {name: side}), outcomes)
        for side in (above, below)
    )
    return Changes(high - low, (above - below).double().numpy())


def either_side(
    surrogate: TwinSurrogate, codes: Codes, name: str, step: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each image's own value plus and minus ``step``, clamped to the concept's interval."""
    concept = surrogate.concept(name)
    own = surrogate.read(codes, name)
    return (
        (own + step).clamp(concept.low, concept.high),
        (own - step).clamp(concept.low, concept.high),
    )


def average_effects(changes: Changes, resamples: int, generator: np.random.Generator) -> Effects:
    """Average the effect over images: the sum of all changes over the sum of all steps.

    The ratio of sums, and not the mean of ratios, leaves images that could hardly move without
    weight. Its bootstrap draws images, with replacement.

    Raises:
        ValueError: where no image could move.
    """
    if not changes.steps.sum() > 0:
        raise ValueError("the concept could not be moved on any image")
    images = len(changes.steps)
    # How often each image is drawn; at least half of the total step keeps a ratio defined.
    counts = generator.multinomial(images, np.full(images, 1 / images), size=resamples)
    steps = np.maximum(counts @ changes.steps, 1e-9)
    return Effects(
        value=changes.margins.sum(0) / changes.steps.sum(),
        resampled=(counts @ changes.margins) / steps[:, None],
        magnitude=np.abs(changes.margins).sum(0) / changes.steps.sum(),
        images=images,
    )


def measure_effects(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    names: Sequence[str],
    *,
    step: float,
    resamples: int,
    seed: int,
    doses: int = 0,
    features: Mapping[str, str] | None = None,
    outcomes: Sequence[int] | None = None,
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Measure what each concept does to each class's margin, with a progress bar.

    It costs 2 + ``doses`` generated images for each image and concept, and for a categorical
    feature one for each level.

    Args:
        surrogate: the twin surrogate.
        classifier: the teacher.
        images: held-out images, uint8, (N, C, H, W).
        names: concepts to move.
        step: in standard deviations of the code.
        resamples: bootstrap resamples of the images.
        seed: of the run.
        doses: values of the dose–response curve; none is measured for 0.
        features: categorical feature by the name of each of its levels; those named are moved as
            one node, do(feature = level). A concept that is not named is a node by itself.
        outcomes: numbers of the classes whose margins are wanted; None takes all.

    Returns:
        What was measured by node, and the reason by name of each concept that could not be moved.
    """
    codes = surrogate.encode_array(images)
    nodes, exclusions = _movable(surrogate, names, features or {})
    measured: dict[str, Measured] = {}
    moving = _Moving(surrogate, classifier, codes, step, resamples, seed, doses, outcomes)
    for node, members in tqdm(nodes.items(), desc="interventions", unit="concept"):
        by_level = node in (features or {}).values()
        changes, response = moving.levels(node, members) if by_level else moving.concept(node)
        if not all(change.steps.any() for change in changes.values()):
            exclusions |= dict.fromkeys(members, "its code lies beyond [low, high] on every image")
            continue
        effects = {
            name: average_effects(change, resamples, _stream(seed, name))
            for name, change in changes.items()
        }
        measured[node] = Measured(effects, response)
    return measured, exclusions


def _movable(
    surrogate: TwinSurrogate, names: Sequence[str], features: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the concepts of each node, and why a concept cannot be moved, by name."""
    nodes: dict[str, list[str]] = {}
    exclusions: dict[str, str] = {}
    for name in names:
        concept = surrogate.concept(name)
        if concept.low < concept.high:
            nodes.setdefault(features.get(name, name), []).append(name)
        else:
            exclusions[name] = f"its code does not vary: [{concept.low:g}, {concept.high:g}]"
    return nodes, exclusions


@dataclass(frozen=True)
class _Moving:
    """What all interventions of a run have in common."""

    surrogate: TwinSurrogate
    classifier: Classifier
    codes: Codes
    step: float
    resamples: int
    seed: int
    doses: int
    outcomes: Sequence[int] | None

    def concept(self, name: str) -> tuple[dict[str, Changes], Response | None]:
        """Move one concept either way, and along its curve where one is asked for."""
        moved = self.surrogate, self.classifier, self.codes, name
        changes = {name: change_by_intervention(*moved, self.step, self.outcomes)}
        if not self.doses:
            return changes, None
        generator = _stream(self.seed, name, "doses")
        asked = self.doses, self.resamples, generator, self.outcomes
        return changes, measure_response(*moved, *asked)

    def levels(self, feature: str, names: list[str]) -> tuple[dict[str, Changes], Response]:
        """Set a categorical feature to each of its levels."""
        generator = _stream(self.seed, feature, "doses")
        moved = self.surrogate, self.classifier, self.codes, names
        return change_by_level(*moved, self.resamples, generator, self.outcomes)


def _stream(seed: int, *names: str) -> np.random.Generator:
    return numpy_generator(seed, "interventions", *names)

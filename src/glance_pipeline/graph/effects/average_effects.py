"""Average effects of do(concept) on the teacher's margins, measured on generated images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.choices import choices_of
from glance_pipeline.graph.effects.doses import Response, measure_response
from glance_pipeline.graph.effects.experiment import Changes, Experiment
from glance_pipeline.graph.effects.levels import change_by_level
from glance_pipeline.graph.effects.unnamed import Unnamed
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
        response: margins over the values that the node was set to; None if not asked for.
        under_choices: by column and choice, its effects under other choices of what is held.
        moved: how far each unnamed property was moved, (P,), in standard deviations of both; None
            if it was not measured.
    """

    effects: dict[str, Effects]
    response: Response | None = None
    under_choices: Mapping[str, Mapping[str, Effects]] = {}
    moved: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Measurements:
    """What interventions on all concepts of a table did.

    Attributes:
        nodes: what was measured, by node.
        exclusions: why a concept could not be moved, by its name.
        images: number of images that were intervened on.
        other_classes: classes, or outputs, of the classifier whose margins were not measured.
        seed: seed of the run.
        unnamed: properties that no concept names; None if they were not measured.
    """

    nodes: dict[str, Measured]
    exclusions: dict[str, str]
    images: int
    other_classes: int
    seed: int
    unnamed: Unnamed | None = None


def change_by_intervention(experiment: Experiment, name: str, step: float) -> Changes:
    """Generate each image with one concept raised and lowered, and ask the teacher.

    Args:
        experiment: the images, and the networks.
        name: the concept to move.
        step: to either side of the image's own value, in standard deviations of the code. Values
            are clamped to the concept's [low, high]; an image beyond that interval moves less.
    """
    above, below = experiment.either_side(name, step)
    high, low = (experiment.margins({name: side}) for side in (above, below))
    return Changes(high - low, (above - below).double().numpy())


def average_effects(changes: Changes, resamples: int, generator: np.random.Generator) -> Effects:
    """Average the effect over images: the sum of all changes over the sum of all steps.

    The ratio of sums, and not the mean of ratios, leaves images that could hardly move without
    weight. Its bootstrap draws images, with replacement.

    Raises:
        ValueError: if no image could move.
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
    experiment: Experiment,
    names: Sequence[str],
    settings: InterventionParameters,
    seed: int,
    *,
    features: Mapping[str, str] | None = None,
    background: Codes | None = None,
    unnamed: Unnamed | None = None,
) -> Measurements:
    """Measure what each concept does to each class's margin, with a progress bar.

    It costs 2 + ``settings.doses`` generated images for each image and concept, 2 more for each
    choice of what is held, and for a categorical feature one for each level.

    Args:
        experiment: held-out images, and the networks.
        names: concepts to move.
        settings: step, number of doses and of resamples.
        seed: seed of the run.
        features: categorical feature by the name of each of its levels; those named are moved as
            one node, do(feature = level). A concept that is not named is a node by itself.
        background: codes of the images that say what goes along with a concept; those of the
            experiment by default.
        unnamed: properties whose movement is measured beside, for aligned concepts.
    """
    nodes, exclusions = _movable(experiment.surrogate, names, features or {})
    simple = [name for name in nodes if name not in (features or {}).values()]
    choices = choices_of(experiment, simple, settings.choices, background or experiment.codes)
    measured: dict[str, Measured] = {}
    for node, members in tqdm(nodes.items(), desc="interventions", unit="concept"):
        by_level = node in (features or {}).values()
        changes, response = (
            change_by_level(experiment, members, settings.resamples, _stream(seed, node, "doses"))
            if by_level
            else _move(experiment, node, settings, seed)
        )
        if not all(change.steps.any() for change in changes.values()):
            exclusions |= dict.fromkeys(members, "its code lies beyond [low, high] on every image")
            continue
        effects = {
            name: average_effects(change, settings.resamples, _stream(seed, name))
            for name, change in changes.items()
        }
        under = {} if by_level else {node: _under_choices(choices, node, settings, seed)}
        moved = None
        if unnamed and not by_level and experiment.surrogate.concept(node).kind == "aligned":
            moved = unnamed.moved(experiment, node, settings.step)
        measured[node] = Measured(effects, response, under, moved)
    return Measurements(
        measured, exclusions, len(experiment), experiment.other_classes, seed, unnamed
    )


def _move(
    experiment: Experiment, name: str, settings: InterventionParameters, seed: int
) -> tuple[dict[str, Changes], Response | None]:
    """Move one concept either way, and along its curve if one is asked for."""
    changes = {name: change_by_intervention(experiment, name, settings.step)}
    if not settings.doses:
        return changes, None
    generator = _stream(seed, name, "doses")
    return changes, measure_response(
        experiment, name, settings.doses, settings.resamples, generator
    )


def _under_choices(
    choices: Mapping[str, Experiment], name: str, settings: InterventionParameters, seed: int
) -> dict[str, Effects]:
    """Return the effects of a concept under each choice of what is held."""
    return {
        choice: average_effects(
            change_by_intervention(experiment, name, settings.step),
            settings.resamples,
            _stream(seed, name),
        )
        for choice, experiment in choices.items()
        if name in experiment.following
    }


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


def _stream(seed: int, *names: str) -> np.random.Generator:
    return numpy_generator(seed, "interventions", *names)

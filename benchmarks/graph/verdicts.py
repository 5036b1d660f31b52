"""Verdicts on concept → prediction edges where it is known what the teacher uses.

Two trials, both through ``measure_effects`` and ``add_predictions`` as the pipeline calls them,
with the pipeline's default parameters but for the number of images that are redrawn:

- *planted* (``planted.py``): concepts without an average effect whose effects on single images are
  as large as those of planted ones, and planted ones of 0.1 in probability;
- *follower* (``redrawn.py``): real digits redrawn, a teacher of their thickness alone, and an
  intensity that follows thickness.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.glassbox.teachers import Term, moment_teacher
from benchmarks.graph.planted import Plan, draw_pixels, planted
from benchmarks.graph.redrawn import RedrawnDigits, draw_features
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.pipelines.prepare.nodes import read_and_shuffle_source_digits
from glance_pipeline.support.compute import available_cores
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import TwinSurrogate

ROWS = 2000  # images of which concepts and margins are known
DIGITS, REDRAWN, DOSES = 300, 60, 3  # rendering takes milliseconds a digit
FEW = 2  # seeds of a quick run
MARGIN = 2.0  # standard deviation of the margin of the teacher of thickness, in logits


@dataclass(frozen=True)
class Follower:
    """One seed of the follower trial.

    Attributes:
        correlation: correlation of thickness and intensity, over the images.
        verdicts: by concept; ``mixed`` where the two classes have different ones.
        effect: effect of the intensity, standardised.
    """

    correlation: float
    verdicts: dict[str, str]
    effect: float


def run(seeds: int, quick: bool) -> dict[str, Any]:
    """Return the rates of right verdicts.

    Args:
        seeds: seeds of both trials, from 0 on; each plants 20 null concepts and 5 effects.
        quick: two seeds at most.

    Returns:
        ``null_used_rate``, share of null concepts that are called *used* for a class; ``power``,
        share of planted ones that are; ``associated_only``, number of seeds in which thickness is
        used and intensity is only associated; ``seeds``.
    """
    return measure(seeds, quick)[0]


def measure(seeds: int, quick: bool) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return what ``run`` does, and a table with what stands behind it."""
    seeds = min(seeds, FEW) if quick else seeds
    edges = [edge for seed in range(seeds) for edge in planted_edges(seed)]
    nulls = [edge for edge in edges if edge.source.startswith("null")]
    effects = [edge for edge in edges if edge.source.startswith("planted")]
    followers = [follow(seed) for seed in range(seeds)]
    right = [
        f.verdicts["intensity"] == "only_associated" and f.verdicts["thickness"] == "used"
        for f in followers
    ]
    result = {
        "null_used_rate": _share(edge.verdict == "used" for edge in nulls),
        "power": _share(edge.verdict == "used" for edge in effects),
        "associated_only": sum(right),
        "seeds": seeds,
    }
    return result, _table(result, nulls, effects, followers)


def planted_edges(seed: int, plan: Plan = Plan()) -> list[Edge]:  # noqa: B008
    """Return the judged edges to one class; the margin of the other is its negative."""
    surrogate, classifier = planted(plan, seed)
    images = draw_pixels(ROWS, numpy_generator(seed, "planted images"))
    graph = judged(surrogate, classifier, images, InterventionParameters(), seed)
    return [e for e in (*graph.edges, *graph.rejected) if e.target == "prediction:yes"]


def follow(seed: int, digits: int = DIGITS, redrawn: int = REDRAWN) -> Follower:
    """Explain a teacher of thickness on digits whose intensity follows it."""
    sources, _ = read_and_shuffle_source_digits(PrepareParameters(number_of_images=digits), seed)
    features = draw_features(digits, numpy_generator(seed, "follower", "features"))
    surrogate = RedrawnDigits(sources, features, 32, available_cores())
    classifier = moment_teacher((Term(1.0, ("thickness",)),), surrogate.images, MARGIN)
    settings = InterventionParameters(images=redrawn, doses=DOSES)
    graph = judged(surrogate, classifier, surrogate.images, settings, seed)
    verdicts: dict[str, str] = {}
    for edge in (*graph.edges, *graph.rejected):
        verdict = str(edge.verdict)
        same = verdicts.setdefault(edge.source, verdict) == verdict
        verdicts[edge.source] = verdict if same else "mixed"
    edges = {(e.source, e.target): e for e in (*graph.edges, *graph.rejected)}
    effect = edges["intensity", "prediction:yes"].effect
    assert effect is not None
    correlation = float(features["thickness"].corr(features["intensity"]))
    return Follower(correlation, verdicts, effect.standardised)


def judged(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    settings: InterventionParameters,
    seed: int,
) -> CausalGraph:
    """Return the graph of all concepts and predictions; concepts are not searched.

    These surrogates read no picture but those that they know and have no latent code, so there is
    neither a smallest change of the picture nor an unnamed property to be asked for.
    """
    settings = settings.model_copy(update={"choices": ("regauged", "real_images")})
    table = infer_concepts(surrogate, classifier, images)
    held_out = images[: settings.images]
    experiment = Experiment.on(held_out, surrogate, classifier)
    names = [str(name) for name in table.concepts]
    measured = measure_effects(experiment, names, settings, seed)
    nodes = tuple(Node(str(name), "aligned", str(name)) for name in table.concepts)
    record = SearchRecord("none", "none", 0.01, 0.5, 0, 0, len(images), 0, seed)
    return add_predictions(
        CausalGraph(nodes, (), (), record),
        table,
        measured,
        settings,
    )


def _table(
    result: dict[str, Any], nulls: list[Edge], effects: list[Edge], followers: list[Follower]
) -> pd.DataFrame:
    """Return one row for each rate, what it is made of, and what is wanted."""
    p_values = np.array([edge.effect.p_value for edge in nulls if edge.effect], dtype=float)
    curves = [e.dose_response.p_value for e in nulls if e.dose_response]
    correlations = [f.correlation for f in followers]
    rows = [
        ("null concepts called used", result["null_used_rate"], "≤ 0.05", len(nulls)),
        ("… p ≤ 0.05 of the effect, uncorrected", float((p_values <= 0.05).mean()), "0.05", ""),
        (
            "… p ≤ 0.05 of the curve, uncorrected",
            float((np.array(curves, dtype=float) <= 0.05).mean()),
            "0.05",
            "",
        ),
        ("planted effects of 0.1 found", result["power"], "≥ 0.95", len(effects)),
        (
            "… their effect, sd of the margin per sd",
            float(np.mean([e.effect.standardised for e in effects if e.effect])),
            "",
            "",
        ),
        ("intensity only associated, seeds", result["associated_only"], result["seeds"], ""),
        ("… correlation with thickness", float(np.mean(correlations)), "0.8", ""),
        (
            "… largest effect, sd of the margin per sd",
            max(abs(f.effect) for f in followers),
            "< 0.05",
            "",
        ),
    ]
    table = pd.DataFrame(rows, columns=["measure", "found", "wanted", "of"])
    return table.set_index("measure")


def _share(values: Any) -> float:
    return float(np.mean(list(values)))

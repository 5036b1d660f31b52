"""What the causal graph says of a case: the verdict on every concept."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.glassbox.cases import Case
from benchmarks.glassbox.effects import YES, Effect
from benchmarks.glassbox.stock import Stock
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.interactions import add_interactions
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.effects.unnamed import find_unnamed
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import TwinSurrogate


def judged(
    surrogate: TwinSurrogate, classifier: Classifier, stock: Stock, seed: int
) -> dict[str, Edge]:
    """Return the edge from every concept to yes, as ``discover`` judges it, by concept.

    Concepts are not searched: what they do to each other has no part in these verdicts.

    Args:
        surrogate: after alignment.
        classifier: the teacher.
        stock: images of the case.
        seed: seed of the run.
    """
    digits, settings = stock.digits, InterventionParameters()
    table = infer_concepts(surrogate, classifier, digits.images, [YES])
    nodes = tuple(Node(name, table.kinds[name], name) for name in map(str, table.concepts))  # type: ignore[arg-type]
    record = SearchRecord("none", "none", 0.01, 0.5, 0, 0, len(digits.images), 0, seed)
    experiment = Experiment.on(digits.images[stock.held_out], surrogate, classifier, [YES])
    training, observed = digits.rows_of("train"), table.with_measured(digits.context)
    measured = measure_effects(
        experiment,
        [str(name) for name in table.concepts],
        settings,
        seed,
        background=surrogate.encode_array(digits.images[training]),
        unnamed=find_unnamed(digits.images[training], observed.rows(training)),
    )
    graph = add_predictions(CausalGraph(nodes, (), (), record), table, measured, settings, observed)
    graph = add_interactions(graph, table, experiment, settings, seed, observed)
    return {edge.source: edge for edge in (*graph.edges, *graph.rejected)}


@dataclass(frozen=True)
class Verdicts:
    """How far the verdicts of a case agree with what is known.

    Attributes:
        verdicts: by concept.
        false_used: context features that are called *used*, though redrawing with that feature
            moved changes the margin by less than counts.
        cannot_be_told: concepts of which it cannot be told.
        planted_right: whether all planted context features are *used*; None where none is planted.
        signs_depend: whether each partner of an interaction depends on the other; None of others.
        largest_context_effect_ratio: largest effect of a context feature over the planted reason's
            own, where that is in no table; None of other cases.
        latent_share: share of the planted reason's own effect that one latent concept carries,
            likewise.
    """

    verdicts: dict[str, str]
    false_used: list[str]
    cannot_be_told: list[str]
    planted_right: bool | None
    signs_depend: bool | None
    largest_context_effect_ratio: float | None
    latent_share: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return all values by name."""
        return dict(vars(self))


def score_verdicts(
    case: Case,
    edges: dict[str, Edge],
    found: dict[str, Effect],
    true: dict[str, Effect],
    own: float,
) -> Verdicts:
    """Compare verdicts with what is known.

    Args:
        case: what is planted.
        edges: by concept.
        found: effects by concept.
        true: effects of redrawing, by context feature.
        own: effect of the planted reason for one standard deviation of it, in logits; of a trained
            teacher the standard deviation of its margin, which is no less.
    """
    verdicts = {name: str(edge.verdict) for name, edge in edges.items()}
    smallest = InterventionParameters().minimum_effect * own
    other = case.reason == "other"
    sizes = {
        name: effect.magnitude if case.split_by else abs(effect.mean)
        for name, effect in true.items()
    }
    latents = [abs(effect.mean) for name, effect in found.items() if name not in true]
    context = [abs(found[name].mean) for name in true if name in found]
    partners = dict(case.split_by)
    return Verdicts(
        verdicts=verdicts,
        false_used=[
            name for name in true if verdicts.get(name) == "used" and sizes[name] < smallest
        ],
        cannot_be_told=[name for name, said in verdicts.items() if said == "cannot_be_told"],
        planted_right=None if other else all(verdicts.get(n) == "used" for n in case.planted),
        signs_depend=all(b in edges[a].sign_depends_on for a, b in partners.items())
        if partners
        else None,
        largest_context_effect_ratio=max(context, default=0.0) / own if other else None,
        latent_share=max(latents, default=0.0) / own if other else None,
    )


def spread_of_margin(classifier: Classifier, images: np.ndarray) -> float:
    """Return the standard deviation of the margin of yes over images, in logits."""
    logits = classifier.answers(images).logits
    return float((logits[:, YES] - logits[:, 1 - YES]).std())

from dataclasses import replace

import numpy as np
import pytest
import torch

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.interactions import (
    add_interactions,
    choose_pairs,
    second_difference,
)
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words
from glance_pipeline.graph.model.records import InterventionRecord, SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

SEARCH = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, 100, 1, 0)


def bilinear(u: torch.Tensor) -> torch.Tensor:
    """Margins ± (u₁ + 0.3·u₁·u₂ + 0.5·u₂ + u₃)."""
    margin = u[:, 0] + 0.3 * u[:, 0] * u[:, 1] + 0.5 * u[:, 1] + u[:, 2]
    return torch.stack([margin / 2, -margin / 2], 1)


def test_second_difference_of_a_bilinear_teacher():
    surrogate, classifier = glass_box(bilinear, ("yes", "no"))
    values = torch.tensor([[0.0, 1.0, 0.3], [2.0, -1.0, 0.0], [-4.0, 0.0, 1.0]])
    codes = Codes(values, torch.zeros(3, 4))
    experiment = Experiment(surrogate, classifier, codes)
    both = second_difference(experiment, ("shade", "tilt"), 1.0)
    # shade is held within ±2.5: the second image moves by 1.5 in all, the third by nothing.
    assert both.steps == pytest.approx([4.0, 3.0, 0.0])
    assert both.margins[:, 0] == pytest.approx([1.2, 0.9, 0.0], abs=1e-3)
    assert both.margins[:, 1] == pytest.approx([-1.2, -0.9, 0.0], abs=1e-3)
    alone = second_difference(experiment, ("shade", "latent_1"), 1.0)
    assert alone.margins == pytest.approx(np.zeros((3, 2)), abs=1e-3)


def explained(answer, **changes) -> CausalGraph:
    surrogate, classifier = glass_box(answer, ("yes", "no"))
    values = np.random.default_rng(0).normal(size=(200, 3)).clip(-2.4, 2.4)
    codes = Codes(torch.tensor(values).float(), torch.zeros(200, 4))
    images = to_uint8(surrogate.generate(codes))
    settings = InterventionParameters(resamples=200, doses=0, **changes)
    table = infer_concepts(surrogate, classifier, images)
    nodes = tuple(Node(n, table.kinds[n], n) for n in table.concepts)
    experiment = Experiment.on(images, surrogate, classifier)
    measured = measure_effects(experiment, list(table.concepts), settings, 0)
    graph = add_predictions(CausalGraph(nodes, (), (), SEARCH), table, measured, settings)
    return add_interactions(graph, table, experiment, settings, 0)


def test_the_interaction_that_is_there_is_found_and_no_other():
    graph = explained(bilinear)
    assert graph.intervention.interaction_tests == 6
    assert [(i.concepts, i.prediction) for i in graph.interactions] == [
        (("shade", "tilt"), "prediction:yes"),
        (("shade", "tilt"), "prediction:no"),
    ]
    effect = graph.interactions[0].effect
    assert effect.value == pytest.approx(0.3, rel=0.01)
    assert effect.unit == "logits per sd²"
    assert effect.low <= effect.value <= effect.high
    assert CausalGraph.from_json(graph.to_json()) == graph


def test_a_pure_product_is_found_though_neither_concept_is_used_on_average():
    def product(u: torch.Tensor) -> torch.Tensor:
        margin = u[:, 0] * u[:, 1]
        return torch.stack([margin / 2, -margin / 2], 1)

    graph = explained(product)
    assert {i.concepts for i in graph.interactions} == {("shade", "tilt")}
    assert graph.interactions[0].effect.value == pytest.approx(1.0, rel=0.01)


def test_both_partners_of_an_exclusive_or_are_used_and_their_signs_depend_on_each_other():
    def exclusive_or(u: torch.Tensor) -> torch.Tensor:
        margin = 2.0 * torch.tanh(3 * u[:, 0]) * torch.tanh(3 * u[:, 1])
        return torch.stack([margin / 2, -margin / 2], 1)

    graph = explained(exclusive_or)
    used = {(edge.source, edge.target): edge for edge in graph.edges if edge.verdict == "used"}
    assert set(used) == {(n, f"prediction:{c}") for n in ("shade", "tilt") for c in ("yes", "no")}
    for (name, prediction), edge in used.items():
        (size,) = (i.effect.standardised for i in graph.interactions if i.prediction == prediction)
        other = {"shade": "tilt", "tilt": "shade"}[name]
        assert edge.sign_depends_on == {other: abs(size)}
        assert edge.strength == abs(size) > 0.3 > abs(edge.effect.standardised)
        assert (edge.mark_at_source, edge.evidence) == ("tail", "intervention")
        assert f"Its sign depends on {other}:" in evidence_in_words(edge, graph)
    assert not set(used) & {(edge.source, edge.target) for edge in graph.rejected}
    assert CausalGraph.from_json(graph.to_json()) == graph


def test_an_aligned_concept_whose_sign_only_a_latent_one_turns_cannot_be_told():
    def product(u: torch.Tensor) -> torch.Tensor:
        margin = 2.0 * torch.tanh(3 * u[:, 0]) * torch.tanh(3 * u[:, 2])
        return torch.stack([margin / 2, -margin / 2], 1)

    graph = explained(product)
    assert {i.concepts for i in graph.interactions} == {("shade", "latent_1")}
    (to_yes,) = (e for e in graph.edges if (e.source, e.target) == ("shade", "prediction:yes"))
    assert (to_yes.verdict, to_yes.mark_at_source) == ("cannot_be_told", "circle")
    assert set(to_yes.sign_depends_on) == {"latent_1"}
    words = evidence_in_words(to_yes, graph)
    assert "cannot be told" in words and "depends on latent_1, which no feature names" in words
    # What the latent one does is no question of how it is defined: it turns with a named feature.
    (latent,) = (e for e in graph.edges if (e.source, e.target) == ("latent_1", "prediction:yes"))
    assert (latent.verdict, set(latent.sign_depends_on)) == ("used", {"shade"})
    assert CausalGraph.from_json(graph.to_json()) == graph


def test_an_interaction_that_is_smaller_than_the_effect_turns_no_sign():
    graph = explained(bilinear)
    assert graph.interactions
    assert not any(edge.sign_depends_on for edge in (*graph.edges, *graph.rejected))


def test_number_of_pairs_is_bounded():
    graph = explained(bilinear, interactions=1)
    assert graph.intervention.interaction_tests == 2
    none = explained(bilinear, interactions=0)
    assert (none.interactions, none.intervention.interaction_tests) == ((), 0)


def edge(source: str, label: str, magnitude: float) -> Edge:
    effect = Estimate(magnitude, 0, 0, "logits per sd", magnitude, magnitude=magnitude)
    return Edge(source, f"prediction:{label}", "tail", "arrow", "intervention", effect=effect)


def test_pairs_by_hand():
    """Spread 1 and 2: in class y the same magnitudes count half."""
    concepts = tuple(Node(name, "aligned", name) for name in "abc")
    levels = Node("d", "aligned", "d", levels=("p", "q"))
    predictions = tuple(Node(f"prediction:{c}", "prediction", c) for c in "xy")
    edges = (edge("a", "x", 1.0), edge("b", "x", 0.04), edge("c", "x", 0.5))
    edges += (edge("a", "y", 1.0), edge("b", "y", 3.0), edge("d", "x", 9.0))  # type: ignore[assignment]
    graph = CausalGraph((*concepts, levels, *predictions), edges, (), SEARCH)
    pairs = choose_pairs(graph, ["x", "y"], np.array([1.0, 2.0]), InterventionParameters())
    # b counts for nothing in x, c in y; a, b: 0.5 · 1.5 in y; a, c: 1 · 0.5 in x.
    assert pairs == [(("a", "b"), (1,)), (("a", "c"), (0,))]


def test_interactions_come_after_predictions():
    surrogate, classifier = glass_box(bilinear, ("yes", "no"))
    graph = CausalGraph((), (), (), SEARCH)
    with pytest.raises(ValueError, match="need a graph whose predictions were tested"):
        add_interactions(
            graph,
            None,
            Experiment(surrogate, classifier, Codes(torch.zeros(0, 3), torch.zeros(0, 4))),
            InterventionParameters(),
            0,
        )
    record = InterventionRecord(5, 1.0, 50, 0.05, "Holm", 3, 0.05, 0.1, 0)
    assert replace(graph, intervention=record).interactions == ()

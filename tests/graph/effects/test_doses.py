import numpy as np
import pytest
import torch
from scipy import stats

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.doses import flatness, measure_response, size_of_curve
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def logits(margin: torch.Tensor) -> torch.Tensor:
    """Logits of two classes whose margins are ± margin."""
    return torch.stack([margin / 2, -margin / 2], 1)


def codes(number: int, seed: int = 0) -> Codes:
    values = np.random.default_rng(seed).normal(size=(number, 3)).clip(-2.4, 2.4)
    return Codes(torch.tensor(values).float(), torch.zeros(number, 4))


def judged(answer, number: int = 300, seed: int = 0) -> CausalGraph:
    """Explain a glass box with two classes."""
    surrogate, classifier = glass_box(answer, ("yes", "no"))
    images = to_uint8(surrogate.generate(codes(number, seed)))
    table = infer_concepts(surrogate, classifier, images)
    settings = InterventionParameters(resamples=200, doses=5)
    experiment = Experiment.on(images, surrogate, classifier)
    measured = measure_effects(experiment, list(table.concepts), settings, 0)
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, number, 1, 0)
    graph = CausalGraph(tuple(Node(n, "aligned", n) for n in table.concepts), (), (), record)
    return add_predictions(graph, table, measured, InterventionParameters())


def test_curve_of_a_glass_box_is_known():
    surrogate, classifier = glass_box(lambda u: logits(u[:, 0] ** 2 + u[:, 1]), ("yes", "no"))
    some = codes(50)
    experiment = Experiment(surrogate, classifier, some)
    response = measure_response(experiment, "shade", 5, 100, np.random.default_rng(0))
    points = np.linspace(-2.5, 2.5, 5)
    assert response.values == pytest.approx(3.0 + 0.5 * points)  # px
    known = points**2 + float(some.concepts[:, 1].mean())
    assert response.margins == pytest.approx(np.stack([known, -known], 1), abs=1e-3)
    # Only the other concept differs between images: its standard error, twice 1.96.
    low, high = np.percentile(response.resampled, [2.5, 97.5], axis=0)
    error = float(some.concepts[:, 1].std()) / np.sqrt(50)
    assert high - low == pytest.approx(np.full((5, 2), 2 * 1.96 * error), rel=0.35)


def test_a_curve_like_a_u_is_used_though_its_average_effect_is_nothing():
    graph = judged(lambda u: logits(u[:, 0] ** 2 + u[:, 1]))
    bent, straight = (graph.between(name, "prediction:yes") for name in ("shade", "tilt"))
    assert bent.verdict == "used"
    assert bent.effect.low < 0 < bent.effect.high
    assert bent.effect.adjusted_p_value > 0.05
    assert bent.effect.magnitude > 1
    assert bent.dose_response.decisive
    assert bent.strength == bent.dose_response.size > 0.5
    assert bent.frequency == 1.0
    # Of a straight line the curve's size is the effect, and the average effect decides.
    assert straight.verdict == "used"
    assert not straight.dose_response.decisive
    assert straight.dose_response.size == pytest.approx(straight.effect.standardised, rel=0.02)
    assert graph.between("latent_1", "prediction:yes") is None
    assert graph.intervention.tests == graph.intervention.curve_tests == 6
    assert CausalGraph.from_json(graph.to_json()) == graph


def test_effects_and_curves_are_one_family():
    """Holm: the smallest p-value of all 12 tests times 12, the next larger one times 11 …"""
    graph = judged(lambda u: logits(u[:, 1] + 0.02 * (999 * u.sum(1)).sin()))
    edges = (*graph.edges, *graph.rejected)
    raw = [e.effect.p_value for e in edges] + [e.dose_response.p_value for e in edges]
    adjusted = [e.effect.adjusted_p_value for e in edges]
    adjusted += [e.dose_response.adjusted_p_value for e in edges]
    order = np.argsort(raw)
    by_hand = np.maximum.accumulate(np.array(raw)[order] * np.arange(12, 0, -1)).clip(max=1)
    assert np.array(adjusted)[order] == pytest.approx(by_hand)


@pytest.mark.parametrize(("bent", "noise"), [(1.0, 0.1), (0.0, 0.0)])
def test_flatness_holds_its_level_where_images_differ(bent, noise):
    """Curves of single images differ wildly, their average is flat; all straight in one case."""
    rng = np.random.default_rng(0)
    points = np.linspace(-2, 2, 7)
    p_values = []
    for _ in range(400):
        slopes, bends = rng.normal(size=(2, 200, 1))
        errors = noise * rng.normal(size=(200, 7))
        p_values.append(flatness(slopes * points + bent * bends * points**2 + errors))
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_flatness_of_straight_curves_is_the_t_test_of_their_slopes():
    slopes = np.random.default_rng(3).normal(0.1, 1.0, (40, 1))
    p_value = flatness(slopes * np.linspace(-2, 2, 7))
    assert p_value == pytest.approx(stats.ttest_1samp(slopes[:, 0], 0).pvalue, rel=1e-3)


def test_flatness_without_spread_over_images():
    points = np.linspace(-2, 2, 7)
    assert flatness(np.tile(points**2, (50, 1))) < 1e-12
    slopes = np.random.default_rng(0).normal(size=(50, 1))
    assert flatness(slopes * points + points**2) < 1e-12
    assert flatness(np.tile(1 + 1e-8 * points, (50, 1))) > 0.9  # rounding
    assert np.isnan(flatness(np.zeros((7, 7))))


def test_size_of_a_straight_line_is_its_slope():
    points = np.linspace(-2, 3, 6)
    curves = np.stack([-0.7 * points + 4, np.full(6, 2.0)], 1)
    assert size_of_curve(curves, points) == pytest.approx([0.7, 0.0])


@pytest.mark.parametrize("doses", [1, 2])
def test_too_few_doses_are_refused(doses):
    with pytest.raises(ValueError, match=f"{doses} was found; 3 or more was wanted"):
        InterventionParameters(doses=doses)

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import (
    average_effects,
    change_by_intervention,
    measure_effects,
)
from glance_pipeline.graph.effects.estimation import (
    Finding,
    correlate_with_margins,
    estimate_effects,
)
from glance_pipeline.graph.effects.experiment import Changes, Experiment
from glance_pipeline.graph.effects.prediction_edges import add_predictions, judge
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.evidence import DoseResponse, Estimate
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate

SETTINGS = InterventionParameters()


class FirstPixels(nn.Module):
    """Logits: twice the first pixel, and zero; so the margins are ± twice the first pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 2, bias=False)
        with torch.no_grad():
            self.linear.weight.zero_()
            self.linear.weight[0, 0] = 2.0

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(images.flatten(1))


class Painter(TwinSurrogate):
    """A glass box: pixel j of the image is a tenth of concept j, in [−1, 1]; all else is −1."""

    def encode(self, images: Tensor) -> Codes:
        return Codes(images[:, 0, 0, :3] * 10, images.new_zeros(len(images), 4))

    def generate(self, codes: Codes) -> Tensor:
        images = -torch.ones(len(codes), 1, 8, 8)
        images[:, 0, 0, :3] = codes.concepts / 10
        return images


def painter(**changes) -> Painter:
    concepts = [
        Concept("used", "aligned", "px", 3.0, 0.5, **changes),
        Concept("follower", "aligned"),
        Concept("latent_1", "latent"),
    ]
    return Painter(SurrogateShape((1, 8, 8), 2, 64, 3, 4, (8, 8), 16, 2, 16), concepts).eval()


def teacher() -> Classifier:
    """Brings images from [0, 1], as the classifier hands them on, back to [−1, 1]."""
    specification = ClassifierSpecification(
        image_shape=(1, 8, 8), class_names=("yes", "no"), mean=(0.5,), std=(0.5,)
    )
    return Classifier(FirstPixels(), specification)


def painted(number: int, seed: int = 0) -> np.ndarray:
    """Images of codes in which ``follower`` goes along with ``used``, correlation about 0.8."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(number, 3))
    codes[:, 1] = 0.8 * codes[:, 0] + 0.6 * codes[:, 1]
    codes = Codes(torch.tensor(codes.clip(-2.4, 2.4)).float(), torch.zeros(number, 4))  # type: ignore[assignment]
    return to_uint8(painter().generate(codes))


def graph_of(table: ConceptTable) -> CausalGraph:
    nodes = tuple(Node(name, "aligned", name) for name in table.concepts)
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, len(table.concepts), 1, 0)
    return CausalGraph(nodes, (), (), record)


def test_effects_of_a_glass_box_are_known():
    surrogate, classifier, images = painter(), teacher(), painted(40)
    settings = InterventionParameters(resamples=50, doses=0)
    experiment = Experiment.on(images, surrogate, classifier)
    found = measure_effects(experiment, surrogate.active_concepts, settings, 0)
    assert found.exclusions == {}
    effects = {name: measured.effects[name] for name, measured in found.nodes.items()}
    # One standard deviation is a tenth in the pixel, 0.2 in the logit; the margin of "no" is its
    # negative.
    assert effects["used"].value == pytest.approx([0.2, -0.2], rel=1e-4)
    assert effects["used"].magnitude == pytest.approx([0.2, 0.2], rel=1e-4)
    assert effects["follower"].value == pytest.approx([0, 0], abs=1e-6)


def test_concept_that_no_image_lets_move_is_named():
    surrogate, images = painter(low=-0.1, high=0.1), painted(200)
    own = surrogate.encode_array(images).concepts[:, 0].numpy()
    settings = InterventionParameters(step=0.5, resamples=20, doses=0)
    experiment = Experiment.on(images[own > 1], surrogate, teacher())
    found = measure_effects(experiment, ["used", "follower"], settings, 0)
    assert list(found.nodes) == ["follower"]
    assert found.exclusions == {"used": "its code lies beyond [low, high] on every image"}


def test_interventions_are_clamped_to_the_interval_of_training():
    surrogate = painter(low=-1.0, high=1.0)
    own = torch.tensor([[0.0], [0.5], [3.0]])
    codes = Codes(torch.cat([own, torch.zeros(3, 2)], 1), torch.zeros(3, 4))
    changes = change_by_intervention(Experiment(surrogate, teacher(), codes), "used", 1.0)
    assert changes.steps == pytest.approx([2.0, 1.5, 0.0])
    assert changes.margins[:, 0] == pytest.approx([0.4, 0.3, 0.0], abs=1e-6)


def test_average_is_the_ratio_of_sums():
    changes = Changes(np.array([[2.0, -1.0], [0.5, 1.0], [0.0, 0.0]]), np.array([2.0, 0.5, 0.0]))
    effects = average_effects(changes, 2000, np.random.default_rng(0))
    assert effects.value == pytest.approx([1.0, 0.0])
    assert effects.magnitude == pytest.approx([1.0, 0.8])
    assert effects.resampled.shape == (2000, 2)
    with pytest.raises(ValueError, match="could not be moved"):
        average_effects(Changes(np.zeros((3, 1)), np.zeros(3)), 10, np.random.default_rng(0))


def test_bootstrap_agrees_with_theory():
    rng = np.random.default_rng(1)
    changes = Changes(rng.normal(1.0, 2.0, (400, 1)), np.ones(400))
    effects = average_effects(changes, 4000, rng)
    assert effects.resampled.std() == pytest.approx(2.0 / np.sqrt(400), rel=0.1)
    ((estimate, _),) = estimate_effects(effects, np.array([4.0]), 0.0)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 0.1, rel=0.1)
    assert estimate.standardised == pytest.approx(estimate.value / 4)


def test_p_value_is_that_of_a_t_test():
    rng = np.random.default_rng(0)
    margins = rng.normal(0.5, 1.0, (12, 1))
    effects = average_effects(Changes(margins, np.ones(12)), 20_000, rng)
    ((estimate, _),) = estimate_effects(effects, np.ones(1), 0.0)
    assert estimate.p_value == pytest.approx(stats.ttest_1samp(margins[:, 0], 0).pvalue, rel=0.1)


def test_a_concept_that_goes_along_is_only_associated():
    surrogate, classifier, images = painter(), teacher(), painted(600)
    table = infer_concepts(surrogate, classifier, images)
    settings = InterventionParameters(resamples=100, doses=0)
    experiment = Experiment.on(images[:60], surrogate, classifier)
    found = measure_effects(experiment, list(table.concepts), settings, 0)
    graph = add_predictions(graph_of(table), table, found, SETTINGS)
    verdicts = {(e.source, e.target): e.verdict for e in (*graph.edges, *graph.rejected)}
    for label in ("prediction:yes", "prediction:no"):
        assert verdicts["used", label] == "used"
        assert verdicts["follower", label] == "only_associated"
        assert verdicts["latent_1", label] == "neither"
    used, follower = (
        graph.between("used", "prediction:yes"),
        graph.between("follower", "prediction:no"),
    )
    assert (str(used), used.evidence) == ("used --> prediction:yes", "intervention")
    assert (str(follower), follower.evidence) == ("follower o-> prediction:no", "association")
    assert follower.strength == pytest.approx(-0.8, abs=0.05)
    assert used.frequency == 1.0
    # 600 codes of standard deviation 1, 0.2 logits each: the margin's own standard deviation.
    assert used.strength == pytest.approx(1.0, abs=0.1)
    assert CausalGraph.from_json(graph.to_json()) == graph
    assert graph.intervention.tests == 6


@pytest.mark.parametrize(
    ("effect", "p", "correlation", "p_correlation", "verdict"),
    [
        (0.3, 0.01, 0.5, 0.0, "used"),
        (-0.3, 0.01, 0.0, 1.0, "used"),
        (0.04, 0.0, 0.5, 0.0, "only_associated"),  # beyond doubt, and practically nothing
        (0.3, 0.06, 0.5, 0.0, "only_associated"),
        (0.3, 0.06, 0.05, 0.0, "neither"),
        (0.0, 1.0, 0.5, 0.06, "neither"),
    ],
)
def test_verdicts(effect, p, correlation, p_correlation, verdict):
    one = Estimate(effect * 4, 0, 0, "logits per sd", effect, p, p)
    other = Estimate(correlation, 0, 0, "correlation", correlation, p_correlation, p_correlation)
    assert judge(Finding(one, 1.0, None, 0.0), other, SETTINGS) == verdict


def test_holm_correction_by_hand():
    """Of two tests the smaller p-value is doubled, the larger stays, but never below the other."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    table = ConceptTable(
        pd.DataFrame({"a": a, "b": b}), pd.DataFrame({"yes": a + 9 * rng.normal(size=200)}), {}, {}
    )
    estimates = sorted(correlate_with_margins(table, ["a", "b"]).values(), key=lambda e: e.p_value)  # type: ignore[return-value]
    assert estimates[0].adjusted_p_value == pytest.approx(2 * estimates[0].p_value)
    assert estimates[1].adjusted_p_value == pytest.approx(
        max(2 * estimates[0].p_value, estimates[1].p_value)  # type: ignore[type-var]
    )


def test_a_concept_that_cannot_be_moved_is_reported():
    surrogate = painter(low=1.0, high=1.0)
    images = painted(60)
    table = infer_concepts(surrogate, teacher(), images)
    settings = InterventionParameters(resamples=20, doses=0)
    experiment = Experiment.on(images, surrogate, teacher())
    found = measure_effects(experiment, ["used"], settings, 0)
    assert found.exclusions == {"used": "its code does not vary: [1, 1]"}
    graph = add_predictions(graph_of(table), table, found, SETTINGS)
    assert graph.edges == ()
    assert graph.intervention.images == 60
    assert graph.intervention.exclusions == found.exclusions
    assert [node.label for node in graph.of_kind("prediction")] == ["yes", "no"]


def test_inferred_concepts_are_in_units_and_pruned_ones_left_out():
    surrogate = tiny_surrogate()
    dropped = Concept("latent_1", "latent", active=False)
    surrogate.concepts = (*surrogate.concepts[:2], dropped)
    images = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), dtype=np.uint8)
    table = infer_concepts(surrogate, tiny_classifier(), images)
    codes = surrogate.encode_array(images).concepts.numpy()
    assert list(table.concepts) == ["size", "tilt"]
    assert table.concepts["size"].to_numpy() == pytest.approx(codes[:, 0] * 0.5 + 3.0, abs=1e-5)
    assert list(table.margins) == ["a", "b", "c"]
    assert (table.margins.to_numpy() > 0).sum(1).max() == 1
    assert table.kinds["tilt"] == "aligned"
    assert table.units["tilt"] == "rad"
    surrogate.concepts = (dropped,) * 3
    with pytest.raises(ValueError, match="every concept of the surrogate was pruned"):
        infer_concepts(surrogate, tiny_classifier(), images)


@pytest.mark.parametrize(
    ("bend", "verdict"),
    [
        (None, "used"),  # real images were not asked
        ((0.3, 0.01), "used"),
        ((-0.3, 0.01), "cannot_be_told"),  # they bend the other way
        ((0.3, 0.2), "cannot_be_told"),  # they may as well not bend
        ((0.04, 0.001), "cannot_be_told"),  # beyond doubt, and practically nothing
    ],
)
def test_a_curve_counts_where_real_images_bend_with_it(bend, verdict):
    nothing = Estimate(0.0, 0, 0, "logits per sd", 0.0, 1.0, 1.0)
    curve = DoseResponse((-1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (0,) * 3, (0,) * 3, (), 0.5, 0.0, 0.0)
    finding = Finding(nothing, 0.0, curve, 1.0, (), bend)
    assert judge(finding, nothing, SETTINGS) == verdict

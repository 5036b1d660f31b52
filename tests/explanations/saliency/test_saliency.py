import numpy as np
import pytest
import torch
from torch import nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.explain import SaliencyParameters
from glance_pipeline.explanations import (
    CausalIntervention,
    ConceptSaliency,
    ShapleyImportance,
    Subjects,
)
from glance_pipeline.explanations.result.overlay import overlay
from glance_pipeline.explanations.saliency.concept_saliency import parts_of_steps, standing_out
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import GlassBoxSurrogate, glass_box
from helpers.structural_models import straight_models

BACKGROUND = torch.tensor([[0.5, -0.5, 0.2], [-0.3, 1.1, 0.4], [0.9, 0.3, -1.2]])
PLAIN = SaliencyParameters(emphasis=0, smoothing=0)


def cubic(u):
    """The margin of a over b is (shade + tilt)³ and more: it bends along every path."""
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([(u[:, 0] + u[:, 1]) ** 3 + 20, zero, zero - 50], 1)


def tilt_alone(u):
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([2 * u[:, 1] + 9, zero, zero - 50], 1)


def subjects_of(surrogate, classifier, code):
    images = to_uint8(surrogate.generate(Codes(torch.tensor(code), torch.zeros(len(code), 4))))
    return Subjects.see(surrogate, classifier, images)


def saliency(answer, code, parameters):
    surrogate, classifier = glass_box(answer)
    method = ConceptSaliency(surrogate, classifier, BACKGROUND, parameters)
    return method.explain(subjects_of(surrogate, classifier, [code]))[0]


@pytest.mark.parametrize("by_concept", [False, True])
@pytest.mark.parametrize("emphasis", [0, 0.7])
def test_map_adds_up_to_prediction_minus_baseline(by_concept, emphasis):
    parameters = SaliencyParameters(steps=1, by_concept=by_concept, emphasis=emphasis)
    result = saliency(cubic, [1.5, 0.7, 0.4], parameters)
    assert result.prediction - result.baseline > 5
    assert result.map.sum() == pytest.approx(result.prediction - result.baseline, rel=1e-4)
    assert result.map.dtype == np.float32
    assert result.map.shape == (16, 16)


def test_what_has_to_be_shared_shrinks_with_the_square_of_the_steps():
    shared = [
        abs(saliency(cubic, [1.5, 0.7, 0.4], PLAIN.model_copy(update={"steps": steps})).shared)
        for steps in (1, 4, 16)
    ]
    # The trapezoid rule is exact to third order: 16 times less each; the rest is 8-bit rounding.
    assert shared[1] < shared[0] / 10
    assert shared[2] < shared[1] / 3


def test_linear_teacher_gives_weight_times_change():
    result = saliency(tilt_alone, [0.3, 1.2, 0.1], PLAIN)
    surrogate, classifier = glass_box(tilt_alone)
    pictures = torch.zeros(1, 1, 16, 16, requires_grad=True)
    margin = classifier.logits(pictures)[0, 0]
    (weight,) = torch.autograd.grad(margin, pictures)
    own, others = (
        torch.as_tensor(to_uint8(surrogate.generate(Codes(u, torch.zeros(len(u), 4))))) / 127.5
        for u in (torch.tensor([[0.3, 1.2, 0.1]]), BACKGROUND)
    )
    expected = (weight[0] * (own - others).mean(0))[0].numpy()
    # What the student reads off an 8-bit picture is off by up to 0.03 sd, a grey level or so.
    np.testing.assert_allclose(result.map, expected, atol=0.02 * np.abs(expected).max())


def test_concept_maps_add_up_to_the_map_and_to_what_each_concept_does():
    parameters = SaliencyParameters(by_concept=True)
    result = saliency(tilt_alone, [0.3, 1.2, 0.1], parameters)
    assert result.concepts == ("shade", "tilt", "latent_1")
    np.testing.assert_allclose(result.by_concept.sum(0), result.map, atol=1e-5)
    assert result.of("tilt").sum() == pytest.approx(2 * (1.2 - 0.3), abs=0.1)
    assert result.of("shade").sum() == pytest.approx(0, abs=0.1)
    with pytest.raises(KeyError, match="no map of concept 'weight'"):
        result.of("weight")


def product(u):
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([3 * u[:, 0] * u[:, 1] + 9, zero, zero - 50], 1)


def test_concept_maps_of_the_causal_effect_add_up_to_the_causal_shapley_values():
    """shade → tilt with slope 1, from 0 to 1: once shade is set tilt is there, and brings nothing.

    Of the direct effect each has half.
    """
    surrogate, classifier = glass_box(product)
    arrow = ("shade", "tilt")
    causal = CausalIntervention(surrogate, straight_models(surrogate, {arrow: 1.0}, (arrow,)))
    subjects = subjects_of(surrogate, classifier, [[1.0, 1.0, 0.0]])
    nothing = torch.zeros(2, 3)
    for intervention, shade, tilt in ((None, 1.5, 1.5), (causal, 3.0, 0.0)):
        (result,) = ConceptSaliency(
            surrogate,
            classifier,
            nothing,
            PLAIN.model_copy(update={"by_concept": True}),
            intervention=intervention,
        ).explain(subjects)
        (values,) = ShapleyImportance(
            surrogate, classifier, nothing, intervention=intervention
        ).explain(subjects)
        assert result.of("shade").sum() == pytest.approx(shade, abs=0.1)
        assert result.of("tilt").sum() == pytest.approx(tilt, abs=0.1)
        for one in values.of:
            assert result.of(one.concept).sum() == pytest.approx(one.contribution, abs=1e-3)


class HalvesSurrogate(GlassBoxSurrogate):
    """The first concept is the brightness of the left half, the second of the right."""

    def encode(self, images):
        left, right = (half.mean((1, 2, 3)) / 0.2 for half in images.chunk(2, 3))
        return Codes(torch.stack([left, right, 0 * left], 1), torch.zeros(len(images), 4))

    def generate(self, codes):
        left, right, _ = (0.2 * u.view(-1, 1, 1, 1).expand(-1, 1, 16, 8)
                          for u in codes.concepts.unbind(1))  # fmt: skip
        return torch.cat([left, right], 3)


class Brightness(nn.Module):
    """Answers by the mean of the left half and, twice as much, against that of the right."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[10.0, -20.0], [0.0, 0.0]]))
            self.linear.bias.copy_(torch.tensor([30.0, 0.0]))

    def forward(self, images):
        return self.linear(torch.stack([half.mean((1, 2, 3)) for half in images.chunk(2, 3)], 1))


@pytest.fixture
def halves():
    whole, _ = glass_box(tilt_alone)
    surrogate = HalvesSurrogate(whole.shape, whole.concepts).eval()
    specification = ClassifierSpecification(image_shape=(1, 16, 16), class_names=("a", "b"))
    return surrogate, Classifier(Brightness(), specification)


def test_concept_of_one_half_acts_there_alone_and_with_its_sign(halves):
    parameters = SaliencyParameters(by_concept=True, smoothing=0)
    method = ConceptSaliency(*halves, torch.zeros(1, 3), parameters)  # type: ignore[call-arg]
    result = method.explain(subjects_of(*halves, [[2.0, 1.0, 0.0]]))[0]  # type: ignore[call-arg]
    left, right = result.of("shade"), result.of("tilt")
    assert (left[:, :8] > 0).all() and (left[:, 8:] == 0).all()
    assert (right[:, 8:] < 0).all() and (right[:, :8] == 0).all()
    # In [0, 1] the halves are 0.2 and 0.1 brighter than at zero: +2 and −2 logits.
    assert left.sum() == pytest.approx(2, abs=0.05)
    assert right.sum() == pytest.approx(-2, abs=0.1)
    assert (result.map[:, :8] > 0).all() and (result.map[:, 8:] < 0).all()


def test_result_of_an_image_hangs_on_no_other_image():
    surrogate, classifier = glass_box(cubic)
    method = ConceptSaliency(surrogate, classifier, BACKGROUND)
    codes = [[1.5, 0.7, 0.4], [-0.2, 1.0, 0.0]]
    both = method.explain(subjects_of(surrogate, classifier, codes))
    alone = method.explain(subjects_of(surrogate, classifier, codes[1:]))
    np.testing.assert_array_equal(both[1].map, alone[0].map)


def test_parts_of_a_step_worked_out_by_hand():
    pictures = torch.tensor([[[[[0.0, 0.0]]], [[[1.0, 2.0]]]]])  # one path, one step, 1 × 2 pixels
    gradients = torch.tensor([[[[[1.0, 0.0]]], [[[3.0, -2.0]]]]])
    measured = torch.tensor([[0.0, 4.0]], dtype=torch.float64)
    parts, missed = parts_of_steps(pictures, measured, gradients, torch.tensor([[1.0, 0.5]]))
    # Parts 1·2·1 = 2 and 0.5·(−1)·2 = −1 make 1; 3 more are shared 2 to 1.
    assert missed.tolist() == [[3.0]]
    assert parts.flatten().tolist() == [4.0, 0.0]


def test_weight_rises_with_the_distance_from_the_median():
    image = np.array([[[0, 0, 0, 100, 200]]], dtype=np.uint8)
    assert standing_out(image, 0.6).tolist() == [pytest.approx([0.4, 0.4, 0.4, 0.7, 1.0])]
    assert standing_out(np.full((3, 2, 2), 9, np.uint8), 0.6).unique().tolist() == [
        pytest.approx(0.4)
    ]


def test_overlay_is_blue_where_it_speaks_for_the_class_and_orange_where_against():
    values = np.zeros((20, 20), np.float32)
    values[0, :3] = [2.0, -2.0, 1.0]
    picture = np.full((1, 20, 20), 255, np.uint8)
    blue, orange, pale, none = overlay(picture, values)[:, 0, :4].T.astype(int)
    assert tuple(blue) == (0x00, 0x72, 0xB2) and tuple(orange) == (0xD5, 0x5E, 0x00)
    assert tuple(none) == (255, 255, 255)
    np.testing.assert_allclose(pale, (blue + none) / 2, atol=1)
    np.testing.assert_array_equal(overlay(picture, 0 * values), 255)

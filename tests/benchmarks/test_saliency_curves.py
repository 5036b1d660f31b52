import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.explain.agreement import gap_to_quantus
from benchmarks.explain.curves import area, background_of, curves, ranks, replaced
from benchmarks.explain.rivals import CaptumMethods, cheap_maps, last_convolution, maps_of
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification


class FourPixels(nn.Module):
    """The logit of ``yes`` over ``no`` is a known weight for each of 2 × 2 pixels in [0, 1]."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[3.0, 1.0, -2.0, 0.5], [0.0] * 4]))

    def forward(self, images):
        return self.linear(images.flatten(1))


class Convolution(nn.Module):
    """One 1 × 1 convolution that passes the image on, and two logits: left and right brightness."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 1, bias=False)
        self.linear = nn.Linear(64, 2, bias=False)
        left = torch.zeros(8, 8)
        left[:, :4] = 1 / 8
        with torch.no_grad():
            self.convolution.weight.fill_(1.0)
            self.linear.weight.copy_(torch.stack([left, left.flip(1)]).flatten(1))

    def forward(self, images):
        return self.linear(self.convolution(images).flatten(1))


def classifier(network, size):
    return Classifier(
        network, ClassifierSpecification(image_shape=(1, size, size), class_names=("yes", "no"))
    )


@pytest.fixture
def four_pixels():
    return classifier(FourPixels(), 2)


WHITE = np.full((1, 1, 2, 2), 255, dtype=np.uint8)
BLACK = np.zeros_like(WHITE)
WEIGHTS = np.array([[[3.0, 1.0], [-2.0, 0.5]]])


def sigmoid(values):
    return 1 / (1 + np.exp(-np.array(values)))


def test_curves_of_a_linear_classifier_worked_out_by_hand(four_pixels):
    drawn = curves(four_pixels, WHITE, BLACK, WEIGHTS, steps=4, seed=0)
    # All four make 2.5; without 3, then 1, then 0.5, then −2. Inserted in the same order.
    np.testing.assert_allclose(drawn.deletion[0], sigmoid([2.5, -0.5, -1.5, -2, 0]), atol=1e-6)
    np.testing.assert_allclose(drawn.insertion[0], sigmoid([0, 3, 4, 4.5, 2.5]), atol=1e-6)
    p = sigmoid([0, 3, 4, 4.5, 2.5])
    expected = (p[0] / 2 + p[1] + p[2] + p[3] + p[4] / 2) / 4
    assert drawn.areas["insertion"] == pytest.approx([expected], abs=1e-6)


def test_steps_take_all_pixels_in_as_equal_parts_as_can_be(four_pixels):
    drawn = curves(four_pixels, WHITE, BLACK, WEIGHTS, steps=2, seed=0)
    np.testing.assert_allclose(drawn.deletion[0], sigmoid([2.5, -1.5, 0]), atol=1e-6)


def test_curve_is_that_of_the_class_the_teacher_gives(four_pixels):
    drawn = curves(four_pixels, BLACK, WHITE, -WEIGHTS, steps=1, seed=0)
    np.testing.assert_allclose(drawn.deletion[0], sigmoid([0, 2.5]), atol=1e-6)
    no = np.array([[[[0, 0], [255, 0]]]], dtype=np.uint8)
    drawn = curves(four_pixels, no, BLACK, WEIGHTS, steps=1, seed=0)
    np.testing.assert_allclose(drawn.deletion[0], sigmoid([2, 0]), atol=1e-6)


def test_area_of_a_straight_line():
    assert area(np.array([[1.0, 0.5, 0.0], [1.0, 1.0, 1.0]])).tolist() == [0.5, 1.0]


def test_equal_pixels_are_in_one_random_order_for_all_images():
    maps = np.zeros((2, 4, 4))
    maps[:, 1, 2] = 1
    places = ranks(maps, seed=0)
    assert (places[:, 1, 2] == 0).all()
    assert (places[0] == places[1]).all()
    assert sorted(places[0].ravel()) == list(range(16))
    assert (ranks(maps, seed=1) != places).any()


def test_what_replaces_a_pixel():
    images = np.zeros((2, 1, 8, 8), dtype=np.uint8)
    images[:, 0, 2:4, 2:4] = 200
    background = background_of(images)
    assert background.tolist() == [0]
    assert (replaced(images, "background", background) == 0).all()
    blurred = replaced(images, "blur", background)
    assert 0 < blurred.max() < 150
    assert blurred.astype(float).mean() == pytest.approx(images.mean(), rel=0.1)
    with pytest.raises(ValueError, match="not by 'noise'"):
        replaced(images, "noise", background)


@pytest.mark.skipif(importlib.util.find_spec("quantus") is None, reason="an extra")
def test_curves_are_those_of_quantus():
    draws = np.random.default_rng(0)
    teacher = classifier(Convolution(), 8)
    images = draws.integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
    maps = draws.normal(size=(5, 8, 8))
    background = np.array([30], dtype=np.uint8)
    gone = replaced(images, "background", background)
    ours = curves(teacher, images, gone, maps, steps=16, seed=0)
    assert gap_to_quantus(teacher, images, background, maps, ours, seed=0) < 1e-5
    others = curves(teacher, images, gone, -maps, steps=16, seed=0)
    assert gap_to_quantus(teacher, images, background, maps, others, seed=0) > 0.01
    uneven = curves(teacher, images, gone, maps, steps=9, seed=0)
    with pytest.raises(ValueError, match="9 steps of 64 pixels"):
        gap_to_quantus(teacher, images, background, maps, uneven, seed=0)


@pytest.mark.skipif(importlib.util.find_spec("captum") is None, reason="an extra")
def test_methods_of_captum_find_the_half_that_answers():
    teacher = classifier(Convolution(), 8)
    images = np.full((2, 1, 8, 8), 100, dtype=np.uint8)
    images[0, 0, :, :4] = images[1, 0, :, 4:] = 220
    background = np.array([0], dtype=np.uint8)
    training = np.random.default_rng(0).integers(0, 256, (10, 1, 8, 8), dtype=np.uint8)
    classes = torch.tensor([0, 1])
    methods = CaptumMethods(teacher, background, training, seed=0).by_name
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for name, method in methods.items():
        maps = maps_of(method, images, classes)
        assert maps.shape == (2, 8, 8), name
        own, other = maps[0, :, :3].mean(), maps[0, :, 5:].mean()
        assert own > other, name
        np.testing.assert_array_equal(maps, maps_of(method, images, classes), err_msg=name)
    # Of a linear logit: weight × distance from the background, 220/255 · 1/8.
    integrated = maps_of(methods["IntegratedGradients"], images, classes)
    np.testing.assert_allclose(integrated[0, :, :4], 220 / 255 / 8, rtol=1e-4)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_cheap_maps_know_nothing_of_the_teacher():
    images = np.array([[[[0, 200], [50, 0]]]], dtype=np.uint8)
    maps = cheap_maps(images, np.array([50], dtype=np.uint8), seed=0)
    assert maps["distance from the background"].tolist() == [[[50, 150], [0, 50]]]
    assert maps["random order"].shape == (1, 2, 2)


def test_teacher_without_convolution_has_no_grad_cam(four_pixels):
    with pytest.raises(ValueError, match="no convolution"):
        last_convolution(four_pixels)

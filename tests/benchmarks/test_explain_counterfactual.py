import pytest
import torch

from benchmarks.explain.counterfactual import measure_counterfactuals, random_targets
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def by_tilt(u):
    """b beats a where tilt > 1; c never wins."""
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


@pytest.fixture
def box():
    surrogate, classifier = glass_box(by_tilt)
    codes = torch.linspace(-0.5, 0.5, 24).view(8, 3)  # tilt below 1: all are called a
    return surrogate, classifier, to_uint8(surrogate.generate(Codes(codes, torch.zeros(8, 4))))


def test_random_targets_are_other_classes_and_hang_on_the_seed(box):
    _, classifier, images = box
    targets = random_targets(classifier, images, seed=1)
    assert set(targets) == {1, 2}
    assert random_targets(classifier, images, seed=1) == targets
    assert random_targets(classifier, images, seed=2) != targets


def test_coverage_and_concepts_are_those_of_the_glass_box(box):
    surrogate, classifier, images = box
    measured = measure_counterfactuals(surrogate, classifier, images, ExplainParameters(), seed=1)
    targets = random_targets(classifier, images, seed=1)
    assert set(measured["strategies"]) == {"gradient", "attfind"}
    assert measured["strategy"] == ExplainParameters().search.strategy
    for figures in (measured, *measured["strategies"].values()):
        assert figures["coverage_runner_up"] == 1.0  # b for all of them
        assert figures["coverage_random"] == targets.count(1) / 8  # c cannot be had
        assert figures["median_concepts"] == 1
        assert figures["ms_per_image"] >= figures["ms_per_image_random"] > 0

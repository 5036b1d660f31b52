import pytest
import torch
from torch import nn

from glance_pipeline.classifiers.classifier import (
    Classifier,
    ClassifierSpecification,
    in_quickest_layout,
)
from glance_pipeline.digits.demo_classifier import DemoClassifier


class ReshapedWithView(nn.Module):
    """Cannot read channels-last features: ``view`` needs them in the order of the indices."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.logits = nn.Linear(4 * 64, 2)

    def forward(self, images):
        return self.logits(self.second(self.first(images)).view(len(images), -1))


def teacher(network, size, classes):
    names = tuple("ab"[:classes])
    return Classifier(
        network, ClassifierSpecification(image_shape=(1, size, size), class_names=names)
    )


def test_the_layout_changes_and_the_answers_do_not():
    torch.manual_seed(0)
    classifier = teacher(DemoClassifier(size=8, classes=2, width=4, features=8), 8, 2)
    images = torch.randn(3, 1, 8, 8)
    before = classifier.logits(images)
    assert in_quickest_layout(classifier) is classifier
    weight = classifier.network.convolutions[1].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(classifier.logits(images), before)


def test_a_network_that_cannot_read_it_keeps_its_own():
    torch.manual_seed(0)
    classifier = teacher(ReshapedWithView(), 8, 2)
    images = torch.randn(3, 1, 8, 8)
    before = classifier.logits(images)
    torch.testing.assert_close(in_quickest_layout(classifier).logits(images), before)
    assert classifier.network.second.weight.is_contiguous()
    classifier.to(memory_format=torch.channels_last)
    with pytest.raises(RuntimeError, match="view"):
        classifier.logits(images)

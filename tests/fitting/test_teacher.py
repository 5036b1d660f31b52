"""What may be handed to ``Explainer.fit`` as a classifier."""

import copy

import numpy as np
import pytest
import torch

from glance_pipeline.fitting.teacher import teacher_of
from glance_pipeline.support.errors import UserError
from helpers.onnx_files import onnx_file
from helpers.teachers import SPECIFICATION, conv_net, images, reference

TOLD = {name: value for name, value in SPECIFICATION.items() if name != "image_shape"}
SHAPE = (1, 8, 8)


def test_a_network_answers_as_it_does_and_stays_as_it_is():
    network = conv_net().train()
    before = copy.deepcopy(network)
    make = teacher_of(network, TOLD, SHAPE)
    torch.testing.assert_close(
        make().logits(images()), reference(copy.deepcopy(network)).logits(images())
    )
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    for name, value in before.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)


def test_each_one_made_is_another():
    make = teacher_of(conv_net(), TOLD, SHAPE)
    one, other = make(), make()
    next(one.network.parameters()).data.fill_(0)
    assert not torch.equal(one.logits(images()), other.logits(images()))


def test_a_function_is_a_black_box():
    network = conv_net()

    def answer(batch: np.ndarray) -> np.ndarray:
        assert batch.dtype == np.float32
        with torch.no_grad():
            return network(torch.as_tensor(batch)).numpy()

    classifier = teacher_of(answer, TOLD, SHAPE)()
    assert not classifier.differentiable
    torch.testing.assert_close(classifier.logits(images()), reference(network).logits(images()))


def test_a_classifier_has_its_own_specification():
    given = reference(conv_net())
    made = teacher_of(given, {}, SHAPE)()
    assert made.specification == given.specification and made.network is not given.network
    with pytest.raises(UserError, match="the Classifier has its own"):
        teacher_of(given, TOLD, SHAPE)


def test_a_file_is_read(tmp_path):
    network = conv_net()
    path = onnx_file(tmp_path / "net.onnx", network)
    classifier = teacher_of(str(path), TOLD, SHAPE)()
    torch.testing.assert_close(
        classifier.logits(images()), reference(network).logits(images()), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("given", "told", "message"),
    [
        (type(conv_net()), TOLD, "the class ConvNet, .* make one of it first"),
        (3, TOLD, "found int, wanted an nn.Module"),
        (conv_net(), {}, "class_names is missing"),
        (conv_net(), {**TOLD, "class_names": ["a", "b"]}, r"shape \(1, 3\)"),
        (conv_net(), {**TOLD, "std": [0.0]}, "specification: .*std: found"),
        (conv_net(), {**TOLD, "stdd": [1.0]}, "stdd"),
        (torch.nn.Linear(5, 3), TOLD, "Linear: the network does not take a batch"),
        (lambda batch: batch[:, 0, 0, :2], TOLD, r"lambda.*shape"),
        (lambda batch: 1 / 0, TOLD, "ZeroDivisionError"),
        ("none.onnx", TOLD, "none.onnx"),
    ],
)
def test_what_cannot_be_a_classifier_is_named(given, told, message):
    with pytest.raises(UserError, match=message):
        teacher_of(given, told, SHAPE)()

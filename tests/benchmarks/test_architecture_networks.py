"""Each network has the marks of its architecture, and comes back from its file as it was."""

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.architectures.files import SPECIFICATION, write_file
from benchmarks.architectures.networks import (
    VGG,
    ConvNeXt,
    DenseNet,
    LeNet5,
    MobileNet,
    ResNet,
    VisionTransformer,
)
from benchmarks.architectures.networks.attention import SelfAttention
from benchmarks.architectures.networks.separable import ConvNeXtBlock, InvertedResidual
from benchmarks.architectures.networks.skipping import BasicBlock, DenseLayer
from benchmarks.architectures.teachers import TEACHERS, Form, Teacher
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.datasets import ClassifierDataset


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def has(network: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(layer, kind) for layer in network.modules())


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("teacher", TEACHERS.values(), ids=list(TEACHERS))
def test_a_network_answers_and_its_last_linear_layer_gives_the_logits(teacher: Teacher):
    torch.manual_seed(0)
    network = teacher.network().eval()
    images = noise(3, 1, 32, 32)
    assert network(images).shape == (3, 2)
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert linear[-1].out_features == 2


def test_the_seven_architectures_are_all_there_and_one_black_box_with_weights_of_another():
    trained = [teacher.network for teacher in TEACHERS.values() if teacher.weights is None]
    assert trained == [LeNet5, VGG, ResNet, DenseNet, MobileNet, ConvNeXt, VisionTransformer]
    (black_box,) = [teacher for teacher in TEACHERS.values() if teacher.is_black_box]
    assert TEACHERS[black_box.trained_as].network is black_box.network


def test_lenet5_has_the_61026_weights_of_its_paper_for_two_classes():
    # 6·(25 + 1) + 16·(6·25 + 1) + 120·(16·25 + 1) + 84·(120 + 1) + 2·(84 + 1)
    assert sum(weights.numel() for weights in LeNet5().parameters()) == 61_026


def test_vgg_stacks_3x3_convolutions_without_normalisation():
    network = VGG()
    assert [layer.kernel_size for layer in convolutions(network)] == [(3, 3)] * 6
    assert not has(network, nn.BatchNorm2d)


def test_a_residual_block_that_adds_nothing_is_the_identity_of_what_is_positive():
    block = BasicBlock(4, 4, 1).eval()
    nn.init.zeros_(block.residual[3].weight)
    x = noise(2, 4, 8, 8)
    torch.testing.assert_close(block(x), x.relu())


def test_a_dense_layer_passes_its_input_on_and_appends():
    x = noise(2, 5, 8, 8)
    out = DenseLayer(5, 3).eval()(x)
    assert out.shape == (2, 8, 8, 8)
    assert torch.equal(out[:, :5], x)


def test_an_inverted_residual_is_wide_inside_depthwise_and_ends_linear():
    block = InvertedResidual(8, 8, 1)
    first, depthwise, last = convolutions(block)
    assert first.out_channels == 4 * 8 and last.out_channels == 8
    assert depthwise.groups == depthwise.in_channels == 32
    assert isinstance(block.layers[-1], nn.BatchNorm2d)


def test_a_convnext_block_looks_7_px_wide_at_each_channel_alone():
    block = ConvNeXtBlock(4)
    assert block.spatial.kernel_size == (7, 7) and block.spatial.groups == 4
    x = torch.zeros(1, 4, 15, 15)
    x[0, 2, 7, 7] = 1.0
    with torch.no_grad():
        seen = block.spatial(x) - block.spatial(torch.zeros_like(x))
    touched = seen[0].abs() > 0
    assert touched.any((1, 2)).tolist() == [False, False, True, False]
    assert touched[2].nonzero().amin(0).tolist() == [4, 4]
    assert touched[2].nonzero().amax(0).tolist() == [10, 10]
    assert has(ConvNeXt(), nn.GELU) and not has(ConvNeXt(), nn.BatchNorm2d)


def test_attention_mixes_positions_and_does_not_mind_their_order():
    torch.manual_seed(0)
    attention = SelfAttention(6, 2)
    tokens = noise(1, 5, 6)
    moved = tokens.clone()
    moved[0, 4] += 1.0
    assert ((attention(moved) - attention(tokens)).abs().amax(2) > 1e-6).all()
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(attention(tokens[:, order]), attention(tokens)[:, order])


def test_the_only_convolution_of_the_transformer_cuts_patches():
    (patches,) = convolutions(VisionTransformer())
    assert patches.kernel_size == patches.stride == (4, 4)


FORMS = [(teacher.network, teacher.form) for teacher in TEACHERS.values()]


@pytest.mark.parametrize(("network", "form"), FORMS, ids=[f"{n.__name__}-{f}" for n, f in FORMS])
def test_the_catalog_loads_a_network_from_its_file(
    network: type[nn.Module], form: Form, tmp_path: Path
):
    torch.manual_seed(0)
    trained = network().eval()
    for name, weights in trained.named_buffers():
        if name.endswith("running_var"):
            weights.uniform_(0.5, 2.0)
    entry = write_file(trained, form, tmp_path)
    del entry["type"]
    loaded = ClassifierDataset(**entry).load()
    wanted = Classifier(trained, ClassifierSpecification(**SPECIFICATION))
    images = torch.randint(256, (5, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    images = images / 127.5 - 1
    assert loaded.differentiable is (form != "onnx")
    found, expected = loaded(images), wanted(images)
    torch.testing.assert_close(found.logits, expected.logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.features, expected.features, rtol=1e-4, atol=1e-4)

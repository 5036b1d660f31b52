import json

import torch

from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.trunk import ConvolutionalTrunk


def test_trunk_gives_channel_means_of_every_resolution_and_the_last_features() -> None:
    trunk = ConvolutionalTrunk(16, 1, (5, 4, 3)).eval()
    images = torch.randn(2, 1, 16, 16)
    out = trunk(images)
    assert out.shape == (2, trunk.outputs) == (2, 5 + 4 + 3 + 16 * 5)
    first = torch.relu(trunk.norms[0](trunk.convolutions[0](images)))
    assert torch.allclose(out[:, :3], first.mean((2, 3)))
    last = out[:, 12:].unflatten(1, (5, 16))
    assert torch.allclose(out[:, 7:12], last.mean(2), atol=1e-6)


def test_a_reader_comes_back_frozen_and_the_same() -> None:
    reader = AttributeReader(("size", "tilt"), (1, 8, 8), (6, 4), 8).eval()
    tensors, header = reader.to_weights()
    again = AttributeReader.from_weights(tensors, json.loads(json.dumps(header)))
    images = torch.randn(3, 1, 8, 8)
    assert torch.allclose(again(images), reader(images), atol=1e-6)  # laid out channels last
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())

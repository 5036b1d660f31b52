"""One small network in every form that a teacher comes in, and what it should answer."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.datasets import ClassifierDataset

SPECIFICATION: dict[str, Any] = {
    "image_shape": [1, 8, 8],
    "class_names": ["a", "b", "c"],
    "mean": [0.2],
    "std": [0.3],
}


class ConvNet(nn.Module):
    """Convolution, batch statistics, dropout, two linear layers; features are 6 wide."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Sequential(nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, classes))

    def forward(self, images: Tensor) -> Tensor:
        seen = torch.relu(self.norm(self.conv(images)))
        return self.head(self.drop(seen.flatten(1)))


def conv_net(classes: int = 3) -> ConvNet:
    """Return the network with weights and statistics that are not those it starts with."""
    torch.manual_seed(0)
    network = ConvNet(classes).eval()
    network.norm.running_mean.normal_()
    network.norm.running_var.uniform_(0.5, 2.0)
    return network


def images(count: int = 5) -> Tensor:
    """Return images of whole grey levels in [−1, 1], so that 8 bits hold them."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (count, 1, 8, 8), generator=generator) / 127.5 - 1


def reference(network: nn.Module, **changes: Any) -> Classifier:
    """Return the teacher that a reader should come to."""
    return Classifier(network, ClassifierSpecification(**{**SPECIFICATION, **changes}))


def dataset(path: Any, **changes: Any) -> ClassifierDataset:
    """Return a catalog entry of the network at ``path``."""
    arguments = {"specification": SPECIFICATION} | changes
    return ClassifierDataset(filepath=str(path), **arguments)


def trusted(path: Any, **changes: Any) -> ClassifierDataset:
    """Return a catalog entry of a program whose author is trusted."""
    return dataset(path, trust=True, **changes)


def script(network: nn.Module, path: Path, trace: bool = False) -> Path:
    """Write the network to ``path`` as TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.trace(network, images(1)) if trace else torch.jit.script(network)
        torch.jit.save(program, str(path))
    return path


def export(
    network: nn.Module, path: Path, batch: int | None = None, decompose: bool = False
) -> Path:
    """Write the network to ``path`` as ``torch.export`` does, for one batch size or any."""
    free = None if batch else ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (images(batch or 2),), dynamic_shapes=free)
        program = program.run_decompositions() if decompose else program
        torch.export.save(program, path)
    return path


def assert_same(found: Classifier, wanted: Classifier, gradients: bool = True) -> None:
    """Compare answers, and the gradients of both kinds of answers at once."""
    slopes = []
    for teacher in (found, wanted):
        seen = images().requires_grad_(gradients)
        answer = teacher(seen)
        slopes.append((answer, seen))
    (one, seen_one), (other, seen_other) = slopes
    torch.testing.assert_close(one.logits, other.logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(one.features, other.features, rtol=1e-5, atol=1e-5)
    if gradients:
        totals = [a.logits.square().sum() + a.features.sum() for a in (one, other)]
        torch.testing.assert_close(
            torch.autograd.grad(totals[0], seen_one)[0],
            torch.autograd.grad(totals[1], seen_other)[0],
        )

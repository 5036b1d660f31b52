"""A step on a device that is not the CPU, though this machine has none.

Tensors of torch's ``FakeTensorMode`` have a shape and a device and no content. Theirs is called
``meta`` here; as on a GPU, an operation on tensors of two devices is an error.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from glance_pipeline.classifiers.classifier import (
    Answer,
    Classifier,
    ClassifierSpecification,
    on_device,
)
from glance_pipeline.config.augmentation import AugmentationParameters
from glance_pipeline.twin.networks import Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import OBJECTIVES
from glance_pipeline.twin.objectives.adaptive_augmentation import AdaptiveAugmentation
from glance_pipeline.twin.objectives.adversarial import Adversarial
from glance_pipeline.twin.objectives.twin_pass import Batch, TwinPass
from glance_pipeline.twin.testing import tiny_classifier

ELSEWHERE = "meta"
IMAGE = (3, 8, 8)
CONCEPTS = [
    Concept("bright", "aligned"),
    Concept("kind=a", "aligned", measure="categorical", feature="kind", levels=("a",)),
    Concept("kind=b", "aligned", measure="categorical", feature="kind", levels=("b",)),
    Concept("latent_1", "latent"),
]


@pytest.fixture
def classifier() -> Classifier:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3), nn.Linear(3, 3))
    return Classifier(network, ClassifierSpecification(image_shape=IMAGE, class_names=tuple("abc")))


@pytest.fixture
def pretended(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTensorMode]:
    """No tensor has content meanwhile: each is taken for false, and autocast knows the CPU only."""
    autocast = torch.autocast
    monkeypatch.setattr(
        torch, "autocast", lambda _device, *rest, **more: autocast("cpu", *rest, **more)
    )
    monkeypatch.setattr(Tensor, "__bool__", lambda _self: False)
    monkeypatch.setattr(AdaptiveAugmentation, "observe", lambda _self, _logits: None)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


def moved(network: Any) -> Any:
    """Move a network, as ``nn.Module.to`` cannot with tensors of this kind."""
    for part in network.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                there = nn.Parameter(elsewhere(weight), weight.requires_grad)
                part._parameters[name] = there
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = elsewhere(buffer)
    return network


def elsewhere(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device=ELSEWHERE)


def step_elsewhere(classifier: Classifier) -> TwinPass:
    shape = SurrogateShape(IMAGE, 3, 3, 4, 4, (8, 8), style=8, hidden=8)
    reader = AttributeReader(("bright", "kind=a", "kind=b"), IMAGE, (8, 8), 8)
    answer = Answer(torch.randn(11, 3, device=ELSEWHERE), torch.randn(11, 3, device=ELSEWHERE))
    context = torch.randn(11, 3, device=ELSEWHERE)
    return TwinPass(
        Players(
            moved(TwinSurrogate(shape, CONCEPTS)).train(),
            moved(Critics(IMAGE, (8, 8), 3)),
            moved(classifier),
            moved(reader).eval(),
        ),
        Batch(torch.randn(11, *IMAGE, device=ELSEWHERE), answer, context),
        torch.Generator().manual_seed(0),
        0.4,
    )


def test_every_objective_stays_on_the_device_of_the_batch(classifier, pretended) -> None:
    step = step_elsewhere(classifier)
    augmentation = AdaptiveAugmentation(AugmentationParameters())
    augmentation.probability = 0.5
    objectives = {name: kind() for name, kind in OBJECTIVES.items()}
    objectives["adversarial"] = Adversarial(augmentation=augmentation)
    terms = [objective(step) for objective in objectives.values()]
    assert {term.device.type for term in terms} == {ELSEWHERE}
    torch.stack(terms).sum().backward()
    for name in ("adversarial", "feature_adversarial"):
        (objectives[name].critic_loss(step) + objectives[name].penalty(step)).backward()


def test_what_is_on_the_cpu_is_answered_there(classifier, pretended) -> None:
    step = step_elsewhere(classifier)
    surrogate, images = step.surrogate.eval(), torch.randn(4, *IMAGE)
    codes = surrogate.intervene(surrogate.encode(images), {"kind=a": 0.5, "bright": torch.zeros(4)})
    found = [codes.concepts, surrogate.generate(codes), surrogate.predict(codes)]
    found += [*surrogate.respond(images), *step.classifier(images), step.classifier.logits(images)]
    assert {tensor.device.type for tensor in found} == {"cpu"}


def test_two_devices_in_one_operation_are_noticed(classifier, pretended) -> None:
    step = step_elsewhere(classifier)
    step.batch = Batch(step.batch.images, step.batch.answer, torch.randn(11, 3))
    with pytest.raises(RuntimeError, match="same device"):
        OBJECTIVES["alignment"]()(step)


def test_a_network_that_breaks_elsewhere_stays_where_it_was(monkeypatch, caplog) -> None:
    classifier = tiny_classifier()
    moves: list[torch.device] = []
    answers = classifier.logits

    def breaks(images: Tensor) -> Tensor:
        if moves:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return answers(images)

    monkeypatch.setattr(classifier, "to", moves.append)
    monkeypatch.setattr(classifier, "logits", breaks)
    assert on_device(classifier, torch.device(ELSEWHERE)) is classifier
    assert moves == [torch.device(ELSEWHERE), torch.device("cpu")]
    assert "the classifier stays on cpu: on meta, can't convert cuda:0 device" in caplog.text


def test_a_network_that_answers_differently_elsewhere_stays_where_it_was(monkeypatch, caplog):
    classifier = tiny_classifier()
    moves: list[torch.device] = []
    answers = classifier.logits
    monkeypatch.setattr(classifier, "to", moves.append)
    monkeypatch.setattr(classifier, "logits", lambda images: answers(images) * (1 + len(moves)))
    on_device(classifier, torch.device(ELSEWHERE))
    assert moves == [torch.device(ELSEWHERE), torch.device("cpu")]
    assert "the classifier stays on cpu: on meta, it answers differently" in caplog.text

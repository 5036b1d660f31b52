"""A teacher is asked in float32, whatever is going on around it."""

import pytest
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from helpers.teachers import SPECIFICATION, conv_net, images


class Listening(nn.Module):
    """The network, which notes what it is given and whether autocast is on."""

    def __init__(self, size: int = 8) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.AdaptiveAvgPool2d(8), conv_net())
        self.size = size
        self.seen: set[tuple[torch.dtype, bool]] = set()

    def forward(self, seen: Tensor) -> Tensor:
        assert seen.shape[2:] == (self.size, self.size)
        self.seen.add((seen.dtype, torch.is_autocast_enabled("cpu")))
        return self.network(seen)


@pytest.mark.parametrize(
    "fit", [{}, *({"fit": "resize", "input_size": (s, s)} for s in (4, 7, 13))]
)
def test_within_bfloat16_it_answers_as_without(fit):
    specification = ClassifierSpecification.model_validate(SPECIFICATION | fit)
    network = Listening(fit.get("input_size", (8, 8))[0])
    teacher = Classifier(network, specification)
    drawn = images().bfloat16()
    wanted = teacher(drawn.float())
    slope = torch.autograd.grad(
        teacher.logits(seen := drawn.float().requires_grad_(True)).square().sum(), seen
    )[0]
    with torch.autocast("cpu", torch.bfloat16):
        found, logits = teacher(drawn), teacher.logits(drawn)
        total = teacher.logits(seen := drawn.clone().requires_grad_(True)).square().sum()
    assert torch.equal(found.logits, wanted.logits)
    assert torch.equal(found.features, wanted.features)
    assert torch.equal(logits, wanted.logits)
    torch.testing.assert_close(torch.autograd.grad(total, seen)[0], slope.bfloat16())
    assert network.seen == {(torch.float32, False)}


def test_a_black_box_that_runs_on_torch_is_left_alone_too():
    network = Listening()
    box = BlackBox(lambda batch: (network(torch.from_numpy(batch)).numpy(), None))
    teacher = Classifier(box, ClassifierSpecification.model_validate(SPECIFICATION))
    with torch.autocast("cpu", torch.bfloat16):
        assert teacher.logits(images().bfloat16()).dtype == torch.float32
    assert network.seen == {(torch.float32, False)}

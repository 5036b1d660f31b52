"""What the user says beside what the model's own file says."""

from torch import nn

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.onboarding.inspection.inspection import _told
from glance_pipeline.onboarding.inspection.pictures import Looks
from glance_pipeline.onboarding.inspection.reads import Reads
from glance_pipeline.onboarding.inspection.settled_specification import (
    Classes,
    Outputs,
    settle_entrance,
)
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.trying.network import Takes

FILE = LoadedNetwork(nn.Identity(), {"mean": (0.5,), "output": "probabilities"})


def told(wishes: Wishes, output: str) -> dict:
    looks = Looks(((8, 8),), in_colour=False)
    entrance = settle_entrance(FILE, Takes(1, 8, "tried"), looks, wishes, Asker(False))
    classes = Classes(("a", "b"), None, "said by its file")
    outputs = Outputs(output, 2, "as named")
    return _told(Reads(entrance, "as named", outputs, {}, classes, None), FILE)


def test_a_default_that_contradicts_the_file_is_handed_on_and_so_refused() -> None:
    found = told(Wishes(mean="0", std="1"), "logits")
    assert (found["mean"], found["output"]) == ([0.0], "logits")


def test_what_the_file_says_is_not_written_again() -> None:
    assert told(Wishes(), "probabilities") == {"image_shape": [1, 8, 8]}

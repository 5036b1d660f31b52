"""The benchmark of devices: it sees a device that computes something else."""

import torch

from benchmarks import device
from benchmarks.untrained import untrained_stages
from glance_pipeline.twin.objectives.alignment import Alignment


def test_a_device_that_computes_the_same_and_one_that_does_not(monkeypatch) -> None:
    stage = untrained_stages(0, 64)["align"]
    same = device.compare_objectives(stage, 0)
    assert set(same.index) == {str(name) for name in stage.parameters.objectives}
    assert (same["cpu"] > 0).all(), "what is 0 shows no difference"
    assert (same["difference"] == 0).all() and (same["cpu"] == same["device"]).all()

    right, calls = Alignment.__call__, []

    def wrong_the_second_time(self: Alignment, step: object) -> torch.Tensor:
        calls.append(step)
        return right(self, step) * len(calls)

    monkeypatch.setattr(Alignment, "__call__", wrong_the_second_time)
    other = device.compare_objectives(stage, 0)
    assert other["difference"]["alignment"] > 0.9
    assert (other["difference"].drop("alignment") == 0).all()


def test_networks_for_every_size_are_those_of_an_environment() -> None:
    stage = device.sized_stage(64, 0)
    assert stage.surrogate.shape.widths == (128, 96, 64, 40, 16)
    assert stage.data.images.shape == (256, 3, 64, 64)

"""The expected time: phases and kinds of steps put together as a training has them."""

import re
import time

import numpy as np
import pytest
import torch

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.onboarding import estimate as module
from glance_pipeline.onboarding import initialise
from glance_pipeline.onboarding.estimate import (
    RunEstimate,
    TrainingSample,
    estimate_run,
    mean_step,
    phases_of,
)
from glance_pipeline.onboarding.inspection import pictures
from glance_pipeline.onboarding.summary import estimate_section
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.support.compute import peak_rss_mb
from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.testing import tiny_classifier
from helpers.onboarding import COUNT

PLAIN = {"reconstruction": {"weight": 1}, "distillation": {"weight": 1}}
GAME = {"adversarial": {"weight": 0.5}}


def stage(objectives: dict, **changes: object) -> StageParameters:
    return StageParameters(**{"steps": 200, "batch_size": 4, "objectives": objectives, **changes})


def test_a_phase_begins_where_an_objective_sets_in():
    parameters = stage(
        {
            "reconstruction": {"weight": 20},
            "sufficiency": {"weight": 1, "start": 0.5, "ramp": 0.1},
            "adversarial": {"weight": 0.5, "start": 0.75},
            "composition": {"weight": 0, "start": 0.1},
        }
    )
    found = [(phase.steps, sorted(phase.parameters.objectives)) for phase in phases_of(parameters)]
    assert found == [
        (100, ["reconstruction"]),
        (50, ["reconstruction", "sufficiency"]),
        (50, ["adversarial", "reconstruction", "sufficiency"]),
    ]


def test_augmentation_waits_for_its_critic():
    late = {**PLAIN, "adversarial": {"weight": 1, "start": 0.5}}
    first, second = phases_of(stage(late, augmentation={}))
    assert first.parameters.augmentation is None
    assert second.parameters.augmentation is not None


def test_steps_without_critics_are_all_alike():
    assert mean_step([9.0, 1.0, 2.0, 1.0, 1.0], stage(PLAIN)) == 1.0


def test_critics_and_their_penalty_count_as_often_as_they_come():
    # Steps 0, 2, 4 train the critics too, and 0 takes R1, as every 32nd does.
    seconds = [5.2, 1.0, 2.0, 1.0, 2.0]
    wanted = (16 * 1.0 + 15 * 2.0 + 5.2) / 32
    assert mean_step(seconds, stage(PLAIN | GAME, critic_every=2)) == pytest.approx(wanted)


def test_critics_that_learn_on_every_step():
    wanted = (15 * 2.0 + 5.2) / 16
    assert mean_step([5.2, 2.0, 2.0], stage(PLAIN | GAME)) == pytest.approx(wanted)


def parameters(steps: int) -> tuple[DistillParameters, DisentangleParameters, AlignParameters]:
    sizes = {"concepts": 3, "residual": 6, "widths": (8, 8), "style": 16, "hidden": 16}
    short = stage(PLAIN | GAME, steps=steps)
    align = stage(PLAIN | {"alignment": {"weight": 1}, "intervention_consistency": {"weight": 1}})
    return (
        DistillParameters(surrogate=sizes, stage=short),
        DisentangleParameters(stage=short),
        AlignParameters(reader={"widths": (8, 8), "steps": 10}, stage=align),
    )


@pytest.fixture
def sample() -> TrainingSample:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (24, 1, 8, 8), dtype=np.uint8)
    context = torch.as_tensor(rng.normal(size=(24, 2)), dtype=torch.float32)
    return TrainingSample(images, context, [Concept("size", "aligned"), Concept("tilt", "aligned")])


def test_real_steps_of_every_stage_are_timed(sample, monkeypatch):
    """What a stage is said to take is its steps times the mean of what was measured."""
    monkeypatch.setattr(module, "_SECONDS", 0.05)
    spied: list[tuple[int, list[float]]] = []
    run = module._Timed._run

    def spy(self, own, steps):
        found = run(self, own, steps)
        spied.append((steps, found))
        return found

    monkeypatch.setattr(module._Timed, "_run", spy)
    began = time.perf_counter()
    with kept_messages():
        found = estimate_run(sample, tiny_classifier(), parameters(300), 1000, 0)
    took = time.perf_counter() - began
    assert [len(seconds) for _, seconds in spied] == [steps for steps, _ in spied]
    assert sum(sum(seconds) for _, seconds in spied) < took
    assert found.steps == sum(steps for steps, _ in spied)
    assert set(found.stages) == {"distill", "disentangle", "align"}
    (_, timed) = spied[1]  # after the warm-up
    assert found.stages["distill"] == pytest.approx(300 * mean_step(timed, stage(PLAIN | GAME)))
    assert 0 <= found.reader < took * 10
    assert found.memory_mb >= peak_rss_mb() + 1000 * (64 + 4 * 6) / 1e6 - 1
    assert found.threads == torch.get_num_threads() and 0 < found.busy <= 1


def test_without_context_there_is_no_reader_to_train(sample):
    without = TrainingSample(sample.images, torch.empty(24, 0), [])
    with kept_messages():
        found = estimate_run(without, tiny_classifier(), parameters(3), 10, 0)
    assert found.reader == 0 and found.stages["align"] > 0


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        (0.9, ["time                     20 min", "distill                7 min"]),
        (
            0.25,
            ["5 min alone; 20 min if the machine stays as busy", "distill                2 min"],
        ),
    ],
)
def test_what_others_take_of_the_machine_is_told_apart(busy: float, said: list[str]) -> None:
    stages = {"distill": 400.0, "disentangle": 100.0, "align": 500.0}
    known = RunEstimate(stages, 100.0, 1234.0, 2, 30, busy)
    text = str(estimate_section(40.0, 60.0, known))
    for part in said:
        assert part in text
    assert "memory                   1.2 GB while training" in text
    assert "30 training steps, timed just now with 2 threads" in text


def test_few_images_of_many_are_those_that_are_looked_at(users, monkeypatch) -> None:
    """The sample is of the images that the run takes, not of all that there are."""
    monkeypatch.setattr(module, "_SECONDS", 0.01)
    monkeypatch.setattr(pictures, "SAMPLE", 4)
    result = users.init(number_of_images="30", labels="folders")
    assert result.exit_code == 0, result.output
    assert "number    30: train 24, validation" in result.output
    assert "100.0 % of a sample of 4 labelled images" in result.output
    assert "training steps, timed just now" in result.output


def test_a_slow_black_box_is_said_to_be_slow_though_its_answers_are_kept(users, monkeypatch):
    known = RunEstimate({"distill": 1.0, "disentangle": 1.0, "align": 1.0}, 1.0, 1.0, 1, 1, 1.0)
    monkeypatch.setattr(initialise, "estimate_run", lambda *_: known)
    answer = BlackBox._call

    def slow(self, inputs):
        time.sleep(0.03 * len(inputs))
        return answer(self, inputs)

    monkeypatch.setattr(BlackBox, "_call", slow)
    result = users.init("--trust", model="users_net:ask", network=None, size="16")
    assert result.exit_code == 0, result.output
    (seconds,) = re.findall(r"asking the classifier +(\d+) s", result.output)
    assert int(seconds) >= 0.03 * COUNT


def test_a_gpu_is_named_and_its_host_is_not_taken_for_busy() -> None:
    known = RunEstimate({"distill": 400.0}, 0.0, 1234.0, 16, 30, 1.0, on_gpu=True)
    text = str(estimate_section(40.0, 60.0, known))
    assert "30 training steps, timed just now with a GPU, whose own memory is not counted" in text

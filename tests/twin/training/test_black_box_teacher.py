from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.classifiers.black_box import BlackBox, Queries, QueriesSpentError
from glance_pipeline.classifiers.classifier import Answer, Classifier, ClassifierSpecification
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.training import ObjectiveSchedule, StageParameters
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives.imitation import Imitation
from glance_pipeline.twin.objectives.twin_pass import Batch, TwinPass
from glance_pipeline.twin.testing import MomentNetwork, tiny_surrogate
from glance_pipeline.twin.training import engine
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.engine import StageResult
from glance_pipeline.twin.training.stages import StageRun, distill

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"split": ["train"] * 32 + ["test"] * 8})
PREPARED = PreparedImages(IMAGES, RECORDS)
SPECIFICATION = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("a", "b", "c"))
STEPS, BATCH = 12, 8
TRIED = 9
"""Images that a black box is asked about when a teacher is made of it."""


def teacher(queries: Queries | None = None) -> Classifier:
    network = MomentNetwork()

    @torch.no_grad()
    def answer(batch: np.ndarray) -> tuple[np.ndarray, None]:
        return network(torch.from_numpy(batch)).numpy(), None

    return Classifier(BlackBox(answer, queries or Queries()), SPECIFICATION)


def run(folder: Path, queries: Queries | None = None, **stage: Any) -> StageResult:
    settings = {
        "surrogate": {"concepts": 2, "residual": 4, "widths": [8, 8], "style": 8, "hidden": 8},
        "stage": {
            "steps": STEPS,
            "batch_size": BATCH,
            "log_every": 3,
            "checkpoint_every": 4,
            "objectives": {
                "reconstruction": {"weight": 10},
                "distillation": {"weight": 1},
                "sufficiency": {"weight": 1, "start": 0.5},
                "adversarial": {"weight": 0.5, "start": 0.3},
            },
            **stage,
        },
    }
    parameters = DistillParameters.model_validate(settings)
    return distill(PREPARED, teacher(queries), parameters, StageRun(folder, 0))


def tensors(result: StageResult) -> dict[str, torch.Tensor]:
    critics = {f"critics.{k}": v for k, v in result.critics.state_dict().items()}
    return result.surrogate.state_dict() | critics


class Killed(BaseException):
    """Stands in for the signal."""


def test_a_training_killed_anywhere_ends_with_the_same_bytes(tmp_path, monkeypatch):
    unbroken = run(tmp_path / "unbroken")
    assert "imitation" in unbroken.history
    real_step = engine.train_step
    calls = iter(range(1000))

    def step(*arguments: Any) -> dict[str, float]:
        if next(calls) == 9:
            raise Killed
        return real_step(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(engine, "train_step", step)
        run(tmp_path / "broken")
    resumed = run(tmp_path / "broken")
    for name, tensor in tensors(unbroken).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)


def test_the_teacher_is_asked_about_what_is_drawn_and_no_more(tmp_path):
    queries = Queries()
    run(tmp_path, queries)
    # Reconstructions of every step, recombinations of the second half, each training image
    # once and the last of them alone too, and four plain images when the teacher was made.
    assert queries.asked == STEPS * BATCH + STEPS // 2 * BATCH + 32 + 1 + TRIED


def test_a_spent_cap_stops_a_training_that_then_goes_on(tmp_path):
    with pytest.raises(QueriesSpentError, match=r"its last checkpoint"):
        run(tmp_path / "capped", Queries(most=100))
    queries = Queries()
    resumed = run(tmp_path / "capped", queries)
    done = 4  # the steps of the checkpoint
    assert queries.asked == (STEPS - done) * BATCH + STEPS // 2 * BATCH + 32 + 1 + TRIED
    for name, tensor in tensors(run(tmp_path / "unbroken")).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name


def one_pass(guide: Any) -> TwinPass:
    surrogate = tiny_surrogate()
    guided = teacher().guided_by(guide or surrogate.respond)
    images = torch.as_tensor(IMAGES[:BATCH]) / 127.5 - 1
    batch = Batch(images, guided(images))
    critics = Critics((1, 8, 8), (8, 8), 3)
    return TwinPass(Players(surrogate, critics, guided), batch, torch.Generator().manual_seed(0))


def test_imitation_is_the_distance_of_student_and_teacher_on_generated_images():
    step = one_pass(None)
    assert float(Imitation()(step)) == 0.0
    drawn = [step.reconstruction, step.recombination]
    answers = [step.reconstruction_answer, step.recombination_answer]
    said = Answer(*(torch.cat(parts).detach() for parts in zip(*answers, strict=True)))
    student = step.surrogate.respond(torch.cat(drawn))
    error = (student.features - said.features).square().sum() / said.features.square().sum()
    wanted = step.task.divergence(said.logits, student.logits) + error
    torch.testing.assert_close(Imitation()(step), wanted)


def test_imitation_teaches_the_student_and_not_the_generator():
    step = one_pass(None)
    assert step.reconstruction_answer.logits.requires_grad
    Imitation()(step).backward()
    assert all(p.grad is None for p in step.surrogate.generator.parameters())
    for network in (step.surrogate.head, step.surrogate.encoder):
        assert all(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


def test_the_generator_follows_the_stand_ins_slope():
    """With the teacher's own network as its stand-in, it learns as from that network itself."""
    network = MomentNetwork()

    def itself(images: torch.Tensor) -> Answer:
        logits = network((images + 1) / 2)
        return Answer(logits, logits)

    slopes = []
    for asked in (None, itself):
        step = one_pass(itself)
        step.classifier = asked or step.classifier  # type: ignore[assignment]
        loss = teacher().task.divergence(
            step.batch.answer.logits, step.reconstruction_answer.logits
        )
        weights = [p for p in step.surrogate.generator.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        slopes.append(torch.cat([g.flatten() for g in gradients if g is not None]))
    # Their values differ by the rounding to 8 bits and by what is beyond black and white.
    assert float(torch.cosine_similarity(*slopes, dim=0)) > 0.99  # type: ignore[misc]


def test_imitation_comes_last_with_the_weight_it_is_given():
    parameters = StageParameters.model_validate(
        {"steps": 1, "objectives": {"imitation": {"weight": 0.5}, "distillation": {"weight": 1}}}
    )
    found = parameters.of_black_box().objectives
    assert list(found) == ["distillation", "imitation"]
    assert found["imitation"].weight == 0.5
    default = StageParameters(steps=1, objectives={"distillation": ObjectiveSchedule(weight=1)})
    assert default.of_black_box().objectives["imitation"].weight == 1.0

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.context.watched import watch
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training import engine
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.engine import StageResult
from glance_pipeline.twin.training.reader_training import train_reader
from glance_pipeline.twin.training.stages import StageRun, align, distill

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"split": ["train"] * 32 + ["test"] * 8})


PREPARED = PreparedImages(IMAGES, RECORDS)


def parameters(**stage: Any) -> DistillParameters:
    return DistillParameters.model_validate(
        {
            "surrogate": {
                "concepts": 2,
                "residual": 4,
                "widths": [8, 8],
                "style": 8,
                "hidden": 8,
            },
            "stage": {
                "steps": 18,
                "batch_size": 8,
                "log_every": 4,
                "checkpoint_every": 5,
                "objectives": {
                    "reconstruction": {"weight": 10},
                    "distillation": {"weight": 1},
                    "sufficiency": {"weight": 1, "start": 0.2, "ramp": 0.3},
                    "adversarial": {"weight": 0.5, "start": 0.3},
                    "feature_adversarial": {"weight": 0.1, "start": 0.3},
                    "hessian_penalty": {"weight": 0.1},
                    "variation_predictability": {"weight": 0.1},
                },
                **stage,
            },
        }
    )


def run(folder: Path, seed: int = 0, **stage: Any) -> StageResult:
    return distill(PREPARED, tiny_classifier(), parameters(**stage), StageRun(folder, seed))


def tensors(result: StageResult) -> dict[str, torch.Tensor]:
    critics = {f"critics.{k}": v for k, v in result.critics.state_dict().items()}
    return result.surrogate.state_dict() | critics


class Killed(BaseException):
    """Stands in for the signal: nothing between the step and the process's end may catch it."""


def test_a_training_killed_anywhere_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = run(tmp_path / "unbroken")
    real_step = engine.train_step
    for killed_at in (3, 12):
        calls = iter(range(1000))

        def step(*arguments: Any, at: int = killed_at, calls: Any = calls) -> dict[str, float]:
            if next(calls) == at:
                raise Killed
            return real_step(*arguments)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(engine, "train_step", step)
            run(tmp_path / f"broken_{killed_at}")
        resumed = run(tmp_path / f"broken_{killed_at}")
        for name, tensor in tensors(unbroken).items():
            assert torch.equal(tensor, tensors(resumed)[name]), name
        pd.testing.assert_frame_equal(resumed.history, unbroken.history)


def test_a_training_with_augmentation_killed_anywhere_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Killed between two changes of the probability, and after some of them.
    options = {"target": -0.9, "images_to_full": 100, "update_every": 4}
    unbroken = run(tmp_path / "unbroken", augmentation=options)
    assert unbroken.history["adversarial_augmentation"].max() > 0.2
    real_step = engine.train_step
    calls = iter(range(1000))

    def step(*arguments: Any) -> dict[str, float]:
        if next(calls) == 16:
            raise Killed
        return real_step(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(engine, "train_step", step)
        run(tmp_path / "broken", augmentation=options)
    resumed = run(tmp_path / "broken", augmentation=options)
    for name, tensor in tensors(unbroken).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)
    plain = run(tmp_path / "plain")
    assert "adversarial_augmentation" not in plain.history
    assert not torch.equal(
        tensors(plain)["critics.images.last.weight"],
        tensors(unbroken)["critics.images.last.weight"],
    )


def align_run(folder: Path, **stage: Any) -> StageResult:
    start = run(folder.parent / "start", steps=4)
    settings = AlignParameters.model_validate(
        {
            "reader": {"widths": [8, 8], "hidden": 8, "steps": 3, "refresh_every": 2},
            "stage": {
                "steps": 11,
                "batch_size": 8,
                "log_every": 4,
                "checkpoint_every": 3,
                "intervened": 0.5,
                "critic_every": 2,
                "objectives": {
                    "reconstruction": {"weight": 10},
                    "sufficiency": {"weight": 1},
                    "adversarial": {"weight": 0.5},
                    "alignment": {"weight": 1},
                    "intervention_consistency": {"weight": 1},
                    "intervention_answer": {"weight": 1},
                    "unnamed_preservation": {"weight": 1},
                    "variation_predictability": {"weight": 1},
                },
                **stage,
            },
        }
    )
    context = pd.DataFrame({"bright": IMAGES.mean((1, 2, 3)), "top": IMAGES[:, 0, 0].mean(1)})
    rows = np.flatnonzero(RECORDS["split"] == "train")
    values, concepts = standardise_context(context, RECORDS, {})
    watched = watch(IMAGES[rows], values[rows].numpy(), ("bright", "top"))
    reader = train_reader(IMAGES[rows], values[rows], concepts, settings.reader, 0, watched=watched)
    return align(
        replace(PREPARED, context=context),
        Players(start.surrogate, start.critics, tiny_classifier(), reader),
        settings,
        StageRun(folder, 0),
    )


def test_align_killed_in_the_middle_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = align_run(tmp_path / "unbroken")
    assert unbroken.history["reader"].notna().all()
    assert unbroken.surrogate.concept_names[:2] == ["bright", "top"]
    real_step = engine.train_step
    calls = iter(range(1000))

    def step(*arguments: Any) -> dict[str, float]:
        if next(calls) == 7:
            raise Killed
        return real_step(*arguments)

    run(tmp_path / "start", steps=4)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(engine, "train_step", step)
        align_run(tmp_path / "broken")
    resumed = align_run(tmp_path / "broken")
    for name, tensor in tensors(unbroken).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)


def test_curves_average_each_objective_over_the_steps_that_computed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(range(100))

    def step(*_: Any) -> dict[str, float]:
        number = next(steps)
        return {"reconstruction": float(number)} | ({"critic": 6.0} if number % 2 else {})

    logged: list[tuple[dict[str, float], int]] = []
    monkeypatch.setattr(engine, "train_step", step)
    settings = parameters(steps=8)
    stage = StageRun(tmp_path, 0, lambda values, at: logged.append((values, at)))
    distill(PREPARED, tiny_classifier(), settings, stage)
    assert logged == [
        ({"distill/reconstruction": 1.5, "distill/critic": 6.0}, 4),
        ({"distill/reconstruction": 5.5, "distill/critic": 6.0}, 8),
    ]


def test_a_finished_training_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path)

    def fail(*_: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(engine, "train_step", fail)
    again = run(tmp_path)
    assert all(torch.equal(t, tensors(again)[k]) for k, t in tensors(first).items())
    assert again.cost == first.cost


@pytest.mark.parametrize("change", [{"seed": 1}, {"learning_rate": 1e-3}])
def test_another_configuration_starts_anew_and_leaves_the_old_checkpoints(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    run(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.pt")}
    run(tmp_path, **change)
    assert len(list(tmp_path.iterdir())) == 2
    assert {path: path.read_bytes() for path in before} == before


def test_training_lowers_the_reconstruction_error(tmp_path: Path) -> None:
    flat = np.full((40, 1, 8, 8), 200, np.uint8)
    settings = parameters(steps=60, objectives={"reconstruction": {"weight": 1}})
    result = distill(
        PreparedImages(flat, RECORDS), tiny_classifier(), settings, StageRun(tmp_path, 0)
    )
    assert (
        result.history["reconstruction"].iloc[-1] < 0.3 * result.history["reconstruction"].iloc[0]
    )
    assert isinstance(result.surrogate, TwinSurrogate)


def test_an_objective_that_is_not_finite_stops_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "glance_pipeline.twin.objectives.reconstruction.Reconstruction.__call__",
        lambda self, step: step.reconstruction.sum() * float("nan"),
    )
    with pytest.raises(FloatingPointError, match=r"step 0.*reconstruction"):
        run(tmp_path)

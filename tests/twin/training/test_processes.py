"""Two processes that really train together, and one alone."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.align import ReaderParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.support import compute
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.seeding import seeded_torch, torch_generator
from glance_pipeline.twin.networks import Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import OBJECTIVES
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training import engine
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.data import TrainingData
from glance_pipeline.twin.training.engine import StageResult, train_share, train_stage
from glance_pipeline.twin.training.processes import ProcessPlace, _own_signals, launch
from glance_pipeline.twin.training.reader_refresh import MeasuredCodes, ReaderRefresh
from glance_pipeline.twin.training.state import Stage
from glance_pipeline.twin.training.supervised import Examples

SHAPE = SurrogateShape((1, 8, 8), 3, 3, 4, 4, (8, 8), style=8, hidden=8)
CONCEPTS = [
    Concept("bright", "aligned"),
    Concept("kind=a", "aligned", measure="categorical", feature="kind", levels=("a",)),
    Concept("kind=b", "aligned", measure="categorical", feature="kind", levels=("b",)),
    Concept("latent_1", "latent"),
]
STEPS = 5


def stage(folder: Path, **changed: Any) -> Stage:
    """A stage with every objective there is, on a batch that two cannot share evenly."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, 1, 8, 8), dtype=np.uint8)
    context = torch.from_numpy(rng.normal(size=(32, 3)).astype(np.float32))
    context[::5, 0] = torch.nan
    context[::7, 1:] = torch.nan
    classifier = changed.pop("classifier", None) or tiny_classifier()
    parameters = {
        "steps": STEPS,
        "batch_size": 11,
        "intervened": 0.4,
        "precision": "float32",
        "augmentation": {"target": -0.9, "images_to_full": 100, "update_every": 2},
        "objectives": {name: {"weight": 1} for name in OBJECTIVES},
        "log_every": 2,
        "checkpoint_every": 1,
        **changed,
    }
    with seeded_torch(0, "test"):
        surrogate = TwinSurrogate(SHAPE, CONCEPTS)
        critics = Critics((1, 8, 8), (8, 8), 3)
        critics.images.head[1].bias.data.fill_(1.0)  # the augmentation takes it for overfitting
        reader = AttributeReader(("bright", "kind=a", "kind=b"), (1, 8, 8), (8, 8), 8, ("parts",))
    refreshed = MeasuredCodes(reader, CONCEPTS[:3], None)
    codes = torch.cat([context, torch.zeros(32, 1)], 1)
    settings = ReaderParameters(widths=(8, 8), refresh_every=2)
    return Stage(
        "test",
        StageParameters.model_validate(parameters),
        Players(surrogate, critics, classifier, reader.requires_grad_(False).eval()),
        TrainingData(images, *classifier.answers(images), context),  # type: ignore[call-arg]
        Checkpoints(folder, "0" * 64, keep=STEPS),
        torch_generator(0, "test", "steps"),
        ReaderRefresh(refreshed, Examples(images, codes), settings),
    )


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_chosen", compute._Chosen(torch.device("cpu"), 2))


def checkpoint(folder: Path, step: int) -> dict[str, Any]:
    path = folder / ("0" * 16) / f"step_{step:08d}.pt"
    return torch.load(path, weights_only=True)


def tensors(result: StageResult) -> dict[str, torch.Tensor]:
    return result.surrogate.state_dict() | result.critics.state_dict()


def dies_at_the_fourth_step(stage: Stage, place: ProcessPlace) -> None:
    """What the second process does in one of the tests."""
    real_step = engine.train_step

    def step(state: Any, *rest: Any) -> dict[str, float]:
        if state.step == 3 and place.rank == 1:
            raise FloatingPointError("step 3: it was to fail\nand to say so")
        return real_step(state, *rest)

    engine.train_step = step  # type: ignore[assignment]
    train_share(stage, place)


def test_two_processes_train_as_one_does_though_one_of_them_dies(
    tmp_path: Path, two_processes: None, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    capfd.readouterr()
    broken = stage(tmp_path / "together")
    with pytest.raises(UserError, match=r"^test: process 1 of 2 ended: .*step 3: it was to fail$"):
        launch(dies_at_the_fourth_step, broken, 2)
    assert broken.checkpoints.newest_step() == 3
    assert {path.suffix for path in broken.checkpoints.folder.iterdir()} == {".pt"}
    together = train_stage(stage(tmp_path / "together"))
    said = capfd.readouterr()
    assert not said.out
    lines = [line for line in re.split("[\r\n]+", said.err) if line]
    assert lines and all(line.startswith("test:") for line in lines), said.err

    monkeypatch.setattr(compute, "_chosen", compute._Chosen(torch.device("cpu"), 1))
    alone = train_stage(stage(tmp_path / "alone"))
    for name in ("optimiser", "critic_optimiser"):
        # Adam's first moment after the first step is (1 − β₁) times the gradient; R1 is in it.
        wanted, found = (
            checkpoint(tmp_path / which, 1)[name]["state"] for which in ("alone", "together")
        )
        assert set(found) == set(wanted)
        for key in wanted:
            gradient, other = wanted[key]["exp_avg"], found[key]["exp_avg"]
            largest = float(gradient.abs().max())
            assert largest > 0
            torch.testing.assert_close(other, gradient, rtol=1e-4, atol=1e-5 * largest)
    for name, tensor in tensors(alone).items():
        torch.testing.assert_close(tensors(together)[name], tensor, rtol=1e-3, atol=1e-4)
    assert alone.history["adversarial_augmentation"].max() > 0.1
    assert list(together.history) == list(alone.history)
    np.testing.assert_allclose(together.history, alone.history, rtol=1e-3, atol=1e-4)


def test_what_several_processes_cannot_train_is_refused(
    tmp_path: Path, two_processes: None
) -> None:
    specification = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("a", "b", "c"))
    box = Classifier(
        BlackBox(lambda images: (9 * images[:, 0, 0, :3], None)), specification, "classifier box"
    )
    with pytest.raises(UserError, match="processes: found 2, wanted 1: classifier box is a black"):
        train_stage(stage(tmp_path, classifier=box))
    with pytest.raises(UserError, match="wanted at least 12, an image for each"):
        launch(train_share, stage(tmp_path), 12)

    class Local(torch.nn.Linear):
        """Of a class that no other process can import."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images.flatten(1))

    strange = Classifier(
        torch.nn.Sequential(Local(64, 3), torch.nn.Linear(3, 3)), specification, "classifier local"
    )
    with pytest.raises(UserError, match="classifier local cannot be handed to another process"):
        train_stage(stage(tmp_path, classifier=strange))
    assert not list(tmp_path.rglob("*.pt"))


def test_signal_handlers_are_put_back_and_left_alone_in_another_thread() -> None:
    def replaced() -> None:
        with _own_signals():
            pass

    before = signal.getsignal(signal.SIGTERM)
    with _own_signals():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is before
    with ThreadPoolExecutor(1) as pool:  # where ThreadRunner has its nodes
        pool.submit(replaced).result()

"""How long a run will train and what memory it will take, from real steps that are timed."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lcm
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.training import ObjectiveSchedule, StageParameters
from glance_pipeline.onboarding.terminal.kept_messages import watched
from glance_pipeline.support.compute import chosen_device, peak_rss_mb
from glance_pipeline.support.seeding import seeded_torch, torch_generator
from glance_pipeline.twin.networks import Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.encoder import AnswerScale
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import build_objectives
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.data import TrainingData
from glance_pipeline.twin.training.engine import train_stage
from glance_pipeline.twin.training.reader_refresh import MeasuredCodes, ReaderRefresh, refresh_on
from glance_pipeline.twin.training.reader_training import train_reader, watched_for
from glance_pipeline.twin.training.state import Stage

_SECONDS = 1.0
"""That the timed steps of a phase may take, more or less."""

_MOST = 16  # steps of a phase that are timed


@dataclass(frozen=True)
class Phase:
    """A part of a stage in which the same objectives are active.

    Attributes:
        steps: steps of the stage that lie in it.
        parameters: parameters of the stage, with these objectives alone and from the start.
    """

    steps: float
    parameters: StageParameters


@dataclass(frozen=True)
class RunEstimate:
    """What a run will take, if the machine goes on as it did while steps were timed.

    Attributes:
        stages: seconds of distill, disentangle and align.
        reader: seconds that the attribute reader is trained.
        memory_mb: at most, while training.
        threads: threads of torch.
        steps: that were timed.
        busy: share of the time that this process was given while they were timed, 0 … 1.
        on_gpu: whether they ran there.
    """

    stages: dict[str, float]
    reader: float
    memory_mb: float
    threads: int
    steps: int
    busy: float
    on_gpu: bool = False

    @property
    def seconds(self) -> float:
        """Of all training together."""
        return sum(self.stages.values()) + self.reader


def phases_of(parameters: StageParameters) -> Iterator[Phase]:
    """Yield the phases of a stage: objectives set in at shares of its steps."""
    schedules = {name: s for name, s in parameters.objectives.items() if s.weight > 0}
    bounds = sorted({0.0, 1.0, *(schedule.start for schedule in schedules.values())})
    for low, high in pairwise(bounds):
        active = {
            n: ObjectiveSchedule(weight=s.weight) for n, s in schedules.items() if s.start <= low
        }
        changes: dict[str, object] = {"objectives": active, "decay": 0.0, "log_every": 1}
        if "adversarial" not in active:
            changes["augmentation"] = None
        yield Phase((high - low) * parameters.steps, parameters.model_copy(update=changes))


def mean_step(seconds: Sequence[float], parameters: StageParameters) -> float:
    """Return the mean seconds of a step of a long phase, from those of its first steps.

    Critics learn on every ``critic_every``-th step, and their penalty R1 is taken on fewer yet,
    the first step among them; so a few steps in a row hold other shares of each kind than a phase.

    Args:
        seconds: seconds of steps 0, 1, …, at least ``critic_every`` + 1 of them.
        parameters: parameters of the phase.
    """
    games = [o for o in build_objectives(parameters).values() if hasattr(o, "critic_loss")]
    every = parameters.critic_every
    if not games:
        return median(seconds)
    cycle = every * lcm(*(game.lazy for game in games))
    with_critics = median(seconds[every::every])
    others = [s for step, s in enumerate(seconds) if step % every]
    plain = median(others) if others else with_critics
    penalty = max(0.0, seconds[0] - with_critics)
    return plain + (with_critics - plain) / every + penalty / cycle


@dataclass(frozen=True)
class TrainingSample:
    """Some of the images that a run trains on.

    Attributes:
        images: uint8 (n, C, H, W).
        context: context of the images, standardised, float (n, J).
        concepts: concepts of the J columns.
    """

    images: np.ndarray
    context: torch.Tensor
    concepts: Sequence[Concept]


class _Timed:
    """Networks of a stage, untrained, and what they are trained on."""

    def __init__(
        self,
        name: str,
        networks: tuple[TwinSurrogate, Critics],
        classifier: Classifier,
        data: TrainingData,
        seed: int,
        reader: nn.Module | None = None,
    ) -> None:
        self.name, self.data, self.seed = name, data, seed
        self.players = Players(*networks, classifier, reader)
        self.steps = 0
        self.refresh: ReaderRefresh | None = None

    def seconds(self, parameters: StageParameters) -> float:
        """Return the seconds that the stage will take."""
        if not self.players.classifier.differentiable:
            parameters = parameters.of_black_box()
        phases = watched(list(phases_of(parameters)), f"timing steps of {self.name}", "phase")
        return sum(phase.steps * self._mean(phase.parameters) for phase in phases)

    def _mean(self, parameters: StageParameters) -> float:
        every = parameters.critic_every
        warm = self._run(parameters, every + 1)  # the first steps of a process are slower
        count = int(_SECONDS / max(1e-3, min(warm)))
        return mean_step(self._run(parameters, min(_MOST, max(every + 1, count))), parameters)

    def _run(self, parameters: StageParameters, steps: int) -> list[float]:
        """Train for some steps with the project's own loop; return the seconds of each."""
        ends: list[float] = []
        self.steps += steps
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(
                self.name,
                parameters.model_copy(update={"steps": steps, "checkpoint_every": steps}),
                self.players,
                self.data,
                Checkpoints(Path(folder), "init"),
                torch_generator(self.seed, "init", self.name),
                self.refresh,
            )
            result = train_stage(stage, lambda _metrics, _step: ends.append(time.perf_counter()))
        began = ends[-1] - result.cost["seconds"]
        return np.diff([began, *ends]).tolist()


def estimate_run(
    sample: TrainingSample,
    classifier: Classifier,
    stages: tuple[DistillParameters, DisentangleParameters, AlignParameters],
    training_images: int,
    seed: int,
) -> RunEstimate:
    """Time real steps of every stage and extrapolate by the schedule.

    Args:
        sample: some of the images.
        classifier: the teacher; a black box is asked about what it is shown here.
        stages: their parameters.
        training_images: number of training images of the run.
        seed: seed of the run.
    """
    distill, disentangle, align = stages
    began, used = time.perf_counter(), time.thread_time()
    answer = classifier.answers(sample.images)
    data = TrainingData(sample.images, answer.logits, answer.features)
    widths = answer.logits.shape[1], answer.features.shape[1]
    sizes = distill.surrogate.model_dump()
    shape = SurrogateShape(classifier.specification.image_shape, *widths, **sizes)
    scale = data.scale_for(classifier.task)
    timed = {
        name: _Timed(name, _networks(shape, seed, scale), classifier, data, seed)
        for name in ("distill", "disentangle")
    }
    reader, seconds = _reader(sample, align, seed)
    aligned = TrainingData(sample.images, answer.logits, answer.features, sample.context)
    networks = _networks(shape, seed, scale, sample.concepts)
    timed["align"] = _Timed("align", networks, classifier, aligned, seed, reader)
    measured = MeasuredCodes(reader, tuple(sample.concepts), None)
    timed["align"].refresh = refresh_on(aligned, measured, align.reader)
    parameters = {"distill": distill.stage, "disentangle": disentangle.stage, "align": align.stage}
    found = {name: stage.seconds(parameters[name]) for name, stage in timed.items()}
    on_gpu = chosen_device().type == "cuda"
    # Of this thread, which takes part in all that torch shares out, while others may have to wait.
    share = (time.thread_time() - used) / (time.perf_counter() - began)
    one = sample.images[0].nbytes + 4 * sum(widths)
    return RunEstimate(
        found,
        seconds,
        peak_rss_mb() + training_images * one / 1e6,
        torch.get_num_threads(),
        sum(stage.steps for stage in timed.values()),
        1.0 if on_gpu else min(1.0, share),
        on_gpu,
    )


def _networks(
    shape: SurrogateShape,
    seed: int,
    scale: AnswerScale | None,
    concepts: Sequence[Concept] = (),
) -> tuple[TwinSurrogate, Critics]:
    """Return untrained networks, with aligned concepts as large as align makes them."""
    names = [*concepts, *(Concept(f"latent_{k + 1}", "latent") for k in range(shape.concepts))]
    values = {**vars(shape), "concepts": len(names)}
    values["residual"] = max(1, shape.residual - len(concepts))
    with seeded_torch(seed, "init", "weights"):
        own = SurrogateShape(**values)
        return TwinSurrogate(own, names, scale), Critics(own.image_shape, own.widths, own.features)


def _reader(
    sample: TrainingSample, align: AlignParameters, seed: int
) -> tuple[AttributeReader, float]:
    """Return a reader that hardly learned anything, and the seconds that a whole training takes."""
    held = watched_for(sample.images, sample.context, sample.concepts, align.stage)

    def trained(steps: int) -> tuple[AttributeReader, float]:
        short = align.reader.model_copy(update={"steps": steps})
        began = time.perf_counter()
        reader = train_reader(
            sample.images, sample.context, sample.concepts, short, seed, watched=held
        )
        return reader, time.perf_counter() - began

    trained(1)
    _, few = trained(1)
    reader, more = trained(6)
    return reader, align.reader.steps * max(0.0, more - few) / 5 if sample.concepts else 0.0

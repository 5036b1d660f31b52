"""Images per second of the training stages, beside the same networks in the textbook layout.

``python -m benchmarks.throughput``: for each stage of ``conf/base`` real training steps are timed,
one of this project and one of the textbook layout (``benchmarks/textbook_layout.py``) by turns, so
that whatever slows the machine slows both. A stage goes through phases, as objectives set in, and
a phase has several kinds of step, for the critics learn on some steps only and R1 is taken on
fewer. Each kind is timed by itself; medians are put together in the shares they have in a training.

The share of the peak is that of the multiply-adds of all matrix products and convolutions, forward
and backward, counted by torch, in the fastest matrix product (2048 × 2048 × 2048) seen in the run.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from math import lcm
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from benchmarks.command_line import command_line, publish
from benchmarks.textbook_layout import ContiguousData, lay_out_as_in_textbooks
from benchmarks.untrained import STAGES, Stage, untrained_stages
from glance_pipeline.config.training import StageParameters
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.support.compute import chosen_device, set_threads
from glance_pipeline.support.seeding import torch_generator
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import build_objectives
from glance_pipeline.twin.training import state as training
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.reader_refresh import MeasuredCodes, ReaderRefresh, refresh_on
from glance_pipeline.twin.training.step import train_step, uses_bfloat16

VARIANTS = ("project", "textbook")
MATRIX = 2048


class Trainer:
    """One stage at work in one layout.

    Args:
        stage: networks, data and parameters; the networks are copied.
        variant: ``project`` or ``textbook``.
        seed: seed of the draws in a step.
    """

    def __init__(self, stage: Stage, variant: str, seed: int) -> None:
        surrogate, critics = stage.copies()
        classifier, reader = stage.judges()
        self.stage = training.Stage(
            stage.name,
            stage.parameters,
            Players(surrogate, critics, classifier, reader),
            stage.data,
            Checkpoints(Path(), ""),  # none is read or written
            torch_generator(seed, "throughput", stage.name),
            None if reader is None else _refresh(stage, reader),
        )
        self.state = training.TrainingState.at_start(self.stage, chosen_device())
        if variant == "textbook":
            self.stage = replace(
                self.stage,
                parameters=stage.parameters.model_copy(update={"precision": "float32"}),
                data=ContiguousData(**vars(stage.data)),
            )
            judges: list[nn.Module] = [classifier, *([reader] if reader else [])]
            for network in (surrogate, self.state.average, critics, *judges):
                lay_out_as_in_textbooks(network)

    def step(self, number: int) -> float:
        """Train for one step as if it were the ``number``-th of the stage; return its seconds."""
        self.state.step = number
        began = time.perf_counter()
        train_step(self.state, self.stage, self.stage.players.classifier)
        return time.perf_counter() - began


def _refresh(stage: Stage, reader: AttributeReader) -> ReaderRefresh | None:
    """Return what refreshes a copy of the stage's reader on what morphometry measures."""
    if stage.refreshed is None:
        return None
    concepts = tuple(one for one in stage.surrogate.concepts if one.kind == "aligned")
    measure = partial(measure_digits, n_jobs=1, progress=False)
    return refresh_on(stage.data, MeasuredCodes(reader, concepts, measure), stage.refreshed)


@dataclass
class Kind:
    """A kind of step: its number in the stage, its share of the steps, and what was measured."""

    step: int
    share: float
    multiply_adds: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: {v: [] for v in VARIANTS})


@dataclass
class Phase:
    """A part of a stage in which the same objectives are active."""

    stage: str
    low: float
    high: float
    objectives: list[str]
    kinds: list[Kind]

    def seconds(self, variant: str) -> float:
        """Return the mean seconds of a step."""
        return sum(kind.share * median(kind.seconds[variant]) for kind in self.kinds)

    def multiply_adds(self) -> float:
        """Return the mean multiply-adds of a step of this project."""
        return sum(kind.share * kind.multiply_adds for kind in self.kinds)


def phases_of(name: str, parameters: StageParameters, refreshed: int = 0) -> Iterator[Phase]:
    """Yield the phases of a stage, with the kinds of step in each.

    Args:
        name: of the stage.
        parameters: its schedule.
        refreshed: steps between two at which the reader is refreshed; 0 where it is not.
    """
    objectives = build_objectives(parameters)
    schedules = {str(key): s for key, s in parameters.objectives.items() if s.weight > 0}
    bounds = sorted({0.0, 1.0, *(schedule.start for schedule in schedules.values())})
    for low, high in pairwise(bounds):
        active = [key for key, schedule in schedules.items() if schedule.start <= low]
        games = [objectives[key] for key in active if hasattr(objectives[key], "critic_loss")]
        every = parameters.critic_every
        cycle = every * lcm(*(game.lazy for game in games)) if games else 1
        cycle = lcm(cycle, refreshed or 1)
        middle = int((low + high) / 2 * parameters.steps)
        kinds: dict[Any, list[int]] = {}
        for step in range(middle, middle + cycle):
            critics = bool(games) and step % every == 0
            penalties = sum((step // every) % game.lazy == 0 for game in games) if critics else 0
            reads = bool(refreshed) and step % refreshed == 0
            kinds.setdefault((critics, penalties, reads), []).append(step)
        found = [Kind(steps[0], len(steps) / cycle) for steps in kinds.values()]
        yield Phase(name, low, high, active, found)


def peak_rate(dtype: torch.dtype, repetitions: int = 12) -> float:
    """Return the multiply-adds a second of the fastest of several large matrix products."""
    a, b = (torch.randn(MATRIX, MATRIX).to(dtype) for _ in range(2))
    fastest = float("inf")
    for _ in range(repetitions):
        began = time.perf_counter()
        a @ b
        fastest = min(fastest, time.perf_counter() - began)
    return MATRIX**3 / fastest


class _NoModules:
    """In place of the counter's record of modules, which R1's call of ``autograd.grad`` breaks."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def count_multiply_adds(trainer: Trainer, step: int) -> float:
    """Train for one step and return the multiply-adds of its products and convolutions."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _NoModules()  # type: ignore[assignment]
    with counter:
        trainer.step(step)
    return counter.get_total_flops() / 2


def measure(
    phases: list[Phase], trainers: dict[tuple[str, str], Trainer], budget: float, rounds: int
) -> int:
    """Time every kind of step in both layouts by turns.

    Args:
        phases: where the times are put.
        trainers: by stage and variant.
        budget: seconds after which no new round begins.
        rounds: fewest rounds, whatever they take.

    Returns:
        The number of rounds.
    """
    kinds = [(phase, kind) for phase in phases for kind in phase.kinds]
    for phase, kind in tqdm(kinds, desc="warming up", unit="kind of step"):
        kind.multiply_adds = count_multiply_adds(trainers[phase.stage, "project"], kind.step)
        trainers[phase.stage, "textbook"].step(kind.step)
    began, done = time.perf_counter(), 0
    with tqdm(desc="timing", unit="round") as bar:
        while done < rounds or time.perf_counter() - began < budget * done / (done + 1):
            for phase, kind in kinds:
                for variant in VARIANTS:
                    kind.seconds[variant].append(trainers[phase.stage, variant].step(kind.step))
            done += 1
            bar.update()
    return done


def figures(phases: list[Phase], batch: int, peak: float) -> dict[str, float]:
    """Return the three figures of some phases of one stage, weighted by their length."""
    length = sum(phase.high - phase.low for phase in phases)
    shares = [(phase, (phase.high - phase.low) / length) for phase in phases]
    own, textbook = (sum(share * p.seconds(v) for p, share in shares) for v in VARIANTS)
    work = sum(share * phase.multiply_adds() for phase, share in shares)
    return {
        "images_per_second": batch / own,
        "ratio_to_textbook": textbook / own,
        "share_of_peak": work / own / peak,
    }


def run(options: argparse.Namespace) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure all stages; return the result and its table."""
    threads = set_threads(options.threads)
    stages = untrained_stages(options.seed)
    trainers = {
        (name, variant): Trainer(stage, variant, options.seed)
        for name, stage in stages.items()
        for variant in VARIANTS
    }
    phases = [
        phase
        for name, stage in stages.items()
        for phase in phases_of(
            name, stage.parameters, stage.refreshed.refresh_every if stage.refreshed else 0
        )
    ]
    names = ("float32", "bfloat16")
    peak = {name: peak_rate(getattr(torch, name)) for name in names}
    print(f"threads: {threads}")
    rounds = measure(phases, trainers, 45.0 if options.quick else 240.0, 2 if options.quick else 5)
    peak = {name: max(peak[name], peak_rate(getattr(torch, name))) for name in names}
    result: dict[str, Any] = {"stages": {}}
    rows = {}
    for name in STAGES:
        parameters = stages[name].parameters
        precision = names[uses_bfloat16(parameters.precision)]
        own = [phase for phase in phases if phase.stage == name]
        each = []
        for phase in own:
            values = figures([phase], parameters.batch_size, peak[precision])
            part = {"from": phase.low, "to": phase.high, "objectives": phase.objectives}
            each.append(part | values)
            if len(own) > 1:
                rows[f"  {name} {phase.low:.0%} to {phase.high:.0%}"] = values
        whole = figures(own, parameters.batch_size, peak[precision])
        rows[name] = whole
        result["stages"][name] = whole | {"precision": precision, "phases": each}
    result |= {
        "threads": threads,
        "rounds": rounds,
        "seed": options.seed,
        "torch": torch.__version__,
        "peak_multiply_adds_per_second": peak,
    }
    for name, rate in peak.items():
        print(f"peak in {name}: {rate / 1e9:.1f} thousand million multiply-adds a second")
    return result, pd.DataFrame.from_dict(rows, orient="index")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = command_line("throughput", "Images per second of the training stages.")
    parser.add_argument("--threads", type=int, help="torch threads (default: all cores)")
    options = parser.parse_args(arguments)
    result, table = run(options)
    publish(result, table, options.json)


if __name__ == "__main__":
    main()

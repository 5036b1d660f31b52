"""Whether a GPU computes what the CPU computes, and how fast it trains.

``python -m benchmarks.device``: on a machine with a GPU the objectives of ``conf/base`` are
computed on both devices, from the same networks, batch and draws, in float32, and compared with
their gradients. Each stage is then trained for some steps in float32, in bfloat16 and with compiled
networks. Distill is timed for images of 32 to 256 px beside the textbook layout
(``benchmarks/textbook_layout.py``) and in larger batches, which gives what a training of FFHQ at
256 px takes. What takes long to compile comes last. Without a GPU all of it is done on the CPU,
where ``--quick`` is enough to see that it runs.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.command_line import command_line, write_result
from benchmarks.throughput import Trainer, count_multiply_adds
from benchmarks.untrained import Stage, default_parameters, untrained_stages
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.support.compute import (
    Precision,
    choose_device,
    choose_precision,
    chosen_device,
    multiplies_in_bfloat16,
)
from glance_pipeline.support.seeding import numpy_generator, seeded_torch, torch_generator
from glance_pipeline.twin.networks import SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.layers import channels_last
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import build_objectives
from glance_pipeline.twin.objectives.twin_pass import TwinPass
from glance_pipeline.twin.training.data import TrainingData
from glance_pipeline.twin.training.step import train_step

SIZES = {32: "base", 64: "celeba", 128: "ffhq128", 256: "ffhq256"}
"""Environment whose networks are taken for images of that many pixels."""

LARGER_BATCH = 128
"""Images in a batch that keeps a GPU busier than the configured one."""

CYCLE = 32
"""Steps in which every critic learns, and every lazy penalty is taken, once at least."""

PEAK_MATRIX = 8192
"""Side of the matrices whose product gives the peak on a GPU; an eighth of it on a CPU."""


def compare_objectives(stage: Stage, seed: int) -> pd.DataFrame:
    """Compute each objective and its gradient on the CPU and on the chosen device.

    Returns:
        By objective: ``cpu`` and ``device``, its values; ``difference``, the largest of all
        gradients' differences over the largest gradient.
    """
    found: dict[str, list[tuple[float, Tensor]]] = {}
    for device in (torch.device("cpu"), chosen_device()):
        surrogate, critics = stage.copies()
        classifier, reader = stage.judges()
        networks = Players(surrogate.to(device), critics.to(device), classifier, reader)
        classifier.to(device)
        if reader is not None:
            reader.to(device)
        for name, objective in build_objectives(stage.parameters).items():
            rows = torch.arange(stage.parameters.batch_size)
            step = TwinPass(
                networks,
                stage.data.batch(rows, device),
                torch_generator(seed, "device", name),
                stage.parameters.intervened,
            )
            weights = [p for p in surrogate.parameters() if p.requires_grad]
            value = objective(step)
            slopes = torch.autograd.grad(value, weights, allow_unused=True)
            flat = [slope.flatten().cpu() for slope in slopes if slope is not None]
            found.setdefault(name, []).append((float(value.detach()), torch.cat(flat)))
    compared = {
        name: {
            "cpu": one,
            "device": other,
            "difference": float((there - here).abs().max() / here.abs().max().clamp_min(1e-12)),
        }
        for name, ((one, here), (other, there)) in found.items()
    }
    return pd.DataFrame.from_dict(compared, orient="index")


def train_shortly(stage: Stage, steps: int, seed: int, compiled: bool = False) -> dict[str, float]:
    """Train a stage for some steps on the chosen device.

    Returns:
        ``images_per_second`` of the second half, by the median step, and each objective's mean
        over the last tenth.
    """
    parameters = stage.parameters.model_copy(update={"steps": steps})
    trainer = Trainer(replace(stage, parameters=parameters), "project", seed)
    classifier = trainer.stage.players.classifier
    if compiled:
        for network in (trainer.state.surrogate.generator, trainer.state.surrogate.encoder):
            network.compile(dynamic=False)
    seconds, values = [], []
    for trainer.state.step in range(steps):
        seconds.append(
            _timed(lambda: values.append(train_step(trainer.state, trainer.stage, classifier)))
        )
    losses = pd.DataFrame(values[-max(steps // 10, 2) :]).mean()
    rate = parameters.batch_size / median(seconds[steps // 2 :])
    return {"images_per_second": rate, **{str(name): loss for name, loss in losses.items()}}


def sized_stage(size: int, seed: int, batch: int | None = None) -> Stage:
    """Return distill as the environment for ``size`` has it, on noise: its cost is the same.

    Args:
        size: px.
        seed: seed of images and weights.
        batch: images in a batch; as configured where it is None.
    """
    parameters = DistillParameters.model_validate(default_parameters(SIZES[size])["distill"])
    sizes, channels = parameters.surrogate, 1 if size == 32 else 3
    rng = numpy_generator(seed, "device", "noise")
    images = rng.integers(0, 256, (256, channels, size, size), np.uint8)
    with seeded_torch(seed, "device", "weights"):
        network = DemoClassifier(channels, size, 2, 32, 64)
        shape = SurrogateShape((channels, size, size), 2, 64, **sizes.model_dump())
        surrogate = TwinSurrogate(shape)
        critics = Critics(shape.image_shape, sizes.widths, shape.features)
    specification = ClassifierSpecification(
        image_shape=shape.image_shape, class_names=("no", "yes")
    )
    classifier = Classifier(channels_last(network), specification)
    answers = classifier.answers(images)
    data = TrainingData(images, answers.logits, answers.features)
    schedule = parameters.stage
    if batch is not None:
        schedule = schedule.model_copy(update={"batch_size": batch})
    return Stage("distill", schedule, surrogate, critics, classifier, data, None)


def time_size(size: int, seed: int, seconds: float) -> dict[str, float]:
    """Time the last phase of distill, with all objectives, in this project's layout and textbooks'.

    Returns:
        ``batch``, ``images_per_second``, ``ratio_to_textbook``, ``gib`` of GPU memory at the most,
        ``multiply_adds_per_second``, and ``larger_batch``, images a second with ``LARGER_BATCH``
        of them in a batch, on a GPU that has the memory.
    """
    stage = sized_stage(size, seed)
    own, memory = _time_layout(stage, "project", seed, seconds)
    textbook, _ = _time_layout(stage, "textbook", seed, seconds)
    counted = Trainer(stage, "project", seed)
    work = sum(count_multiply_adds(counted, step) for step in _last_cycle(stage))
    larger = float("nan")
    if _on_gpu():
        try:
            took, _ = _time_layout(sized_stage(size, seed, LARGER_BATCH), "project", seed, seconds)
            larger = CYCLE * LARGER_BATCH / took
        except torch.OutOfMemoryError as error:
            print(f"{size} px, {LARGER_BATCH} in a batch: {error}".splitlines()[0])
    return {
        "batch": stage.parameters.batch_size,
        "images_per_second": CYCLE * stage.parameters.batch_size / own,
        "ratio_to_textbook": textbook / own,
        "gib": memory,
        "larger_batch": larger,
        "multiply_adds_per_second": work / own,
    }


def _time_layout(stage: Stage, layout: str, seed: int, seconds: float) -> tuple[float, float]:
    """Return the seconds of a cycle of steps, and the GPU memory that it takes at most, in GiB."""
    if _on_gpu():
        torch.cuda.reset_peak_memory_stats()
    trainer = Trainer(stage, layout, seed)
    steps = _last_cycle(stage)
    for step in steps[:4]:  # a kernel is chosen, or compiled, the first time that it is used
        trainer.step(step)
    cycles: list[float] = []
    while sum(cycles) < seconds:
        cycles.append(_timed(lambda: [trainer.step(step) for step in steps]))
    return median(cycles), torch.cuda.max_memory_allocated() / 2**30 if _on_gpu() else float("nan")


def _last_cycle(stage: Stage) -> range:
    return range(stage.parameters.steps - CYCLE, stage.parameters.steps)


def peak_rate(dtype: torch.dtype) -> float:
    """Return the multiply-adds a second of the fastest of several large matrix products."""
    side = PEAK_MATRIX if _on_gpu() else PEAK_MATRIX // 8
    a, b = (torch.randn(side, side, device=chosen_device(), dtype=dtype) for _ in range(2))
    return side**3 / min(_timed(lambda: a @ b) for _ in range(12))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Compare, train and time; print each part as it is done, and return all of it."""
    device = choose_device("cpu" if options.cpu else "auto")
    name = torch.cuda.get_device_name() if _on_gpu() else "CPU"
    print(f"{name}, torch {torch.__version__}")
    stages = untrained_stages(options.seed)
    result: dict[str, Any] = {"device": name, "torch": torch.__version__, "objectives": {}}
    choose_precision("float32")
    for stage in stages.values():
        table = compare_objectives(stage, options.seed)
        print(f"\n{stage.name}: objectives on the CPU and on {device.type}\n{_text(table)}")
        result["objectives"][stage.name] = table.to_dict("index")
    choose_precision("auto")
    result["sizes"] = _time_all(options)
    result["trained"] = _train_all(stages, options)
    return result


def _train_all(stages: dict[str, Stage], options: argparse.Namespace) -> dict[str, Any]:
    steps = 8 if options.quick else 80
    ways: dict[str, tuple[Precision, bool]] = {"float32": ("float32", False)}
    if multiplies_in_bfloat16(chosen_device()):
        ways["bfloat16"] = ("bfloat16", False)
    if _on_gpu() and not options.quick:
        ways["compiled"] = ("bfloat16", True)
    trained: dict[str, Any] = {}
    for way, (precision, compiled) in ways.items():
        choose_precision(precision)
        for name, stage in stages.items():
            try:
                found: Any = train_shortly(stage, steps, options.seed, compiled)
            except Exception as error:  # what a compiler refuses is a finding, not the end
                found = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            trained.setdefault(name, {})[way] = found
            print(f"{name}, {way}: {found}")
    choose_precision("auto")
    for name, found in trained.items():
        numbers = {way: one for way, one in found.items() if isinstance(one, dict)}
        print(f"\n{name}: {steps} steps\n{_text(pd.DataFrame(numbers))}")
    return trained


def _time_all(options: argparse.Namespace) -> dict[str, Any]:
    sizes = [32] if options.quick else list(SIZES)
    peak = {kind: peak_rate(getattr(torch, kind)) for kind in ("float32", "bfloat16")}
    rows: dict[int, dict[str, float]] = {}
    for size in sizes:
        rows[size] = time_size(size, options.seed, 1.0 if options.quick else 3.0)
        rate = rows[size].pop("multiply_adds_per_second")
        rows[size]["share_of_peak"] = rate / max(peak.values())
        print(f"{size} px: {rows[size]}")
    table = pd.DataFrame.from_dict(rows, orient="index")
    print(f"\ndistill with all objectives on, by size in px\n{_text(table)}")
    print(
        {kind: f"{rate / 1e12:.2f} million million multiply-adds/s" for kind, rate in peak.items()}
    )
    found: dict[str, Any] = {"by_size": rows, "peak_multiply_adds_per_second": peak}
    if 256 in rows:
        parameters = default_parameters(SIZES[256])
        images = sum(
            parameters[stage]["stage"]["steps"] * parameters[stage]["stage"]["batch_size"]
            for stage in ("distill", "disentangle", "align")
        )
        found["ffhq256_hours"] = images / rows[256]["images_per_second"] / 3600
        print(f"conf/ffhq256: {images:,} images, {found['ffhq256_hours']:.2f} hours")
    return found


def _timed(work: Callable[[], Any]) -> float:
    _wait()
    began = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - began


def _wait() -> None:
    if _on_gpu():
        torch.cuda.synchronize()


def _on_gpu() -> bool:
    return chosen_device().type == "cuda"


def _text(table: pd.DataFrame) -> str:
    return table.to_string(float_format=lambda value: f"{value:.4g}")


def main(arguments: list[str] | None = None) -> None:
    """Compare, train, time, print and write."""
    parser = command_line("device", "Does a GPU compute what the CPU does, and how fast?")
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    options = parser.parse_args(arguments)
    write_result(run(options), options.json)


if __name__ == "__main__":
    main()

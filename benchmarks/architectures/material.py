"""What all teachers share, drawn once and kept on disk: images, redrawings, lessons."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.architectures.configuration import Configuration
from benchmarks.architectures.training import Lesson, draw_lesson
from benchmarks.glassbox.drawn import (
    Drawn,
    arrays_of,
    draw_scenario,
    drawn_from,
    read_arrays,
    write_arrays,
)

_LESSONS = ("train", "test")


@dataclass(frozen=True)
class Material:
    """Everything that is drawn.

    Attributes:
        drawn: images without the shortcut, and the held-out ones with a feature moved.
        train: images with the shortcut, which the teachers learn from.
        test: likewise, which their accuracy is measured on.
    """

    drawn: Drawn
    train: Lesson
    test: Lesson


def make_material(configuration: Configuration, seed: int, path: Path, workers: int) -> None:
    """Draw everything, and write it to ``path`` (.npz)."""
    drawn = draw_scenario(
        configuration.case("").scenario,
        configuration.prepare,
        configuration.held_out,
        configuration.step,
        seed,
        workers,
    )
    arrays = arrays_of(drawn)
    for split in _LESSONS:
        lesson = draw_lesson(split, drawn.digits, configuration.shortcut, seed)
        arrays |= {f"{split}/images": lesson.images, f"{split}/labels": lesson.labels}
    write_arrays(path, arrays)


def read_material(path: Path) -> Material:
    """Read what ``make_material`` wrote."""
    arrays = read_arrays(path)
    lessons = (Lesson(arrays[f"{split}/images"], arrays[f"{split}/labels"]) for split in _LESSONS)
    return Material(drawn_from(arrays), *lessons)

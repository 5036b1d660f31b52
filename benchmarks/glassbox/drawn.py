"""The images of a scenario with their redrawings, and how both are kept on disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.glassbox.cases import Scenario
from benchmarks.glassbox.digits import Digits, prepare_digits
from benchmarks.glassbox.truth import Redrawn, redraw
from glance_pipeline.config.prepare import PrepareParameters


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a scenario, whatever the teacher.

    Attributes:
        digits: the images.
        held_out: row numbers of the images that effects are averaged over.
        redrawn: those images with one feature moved, by feature.
    """

    digits: Digits
    held_out: np.ndarray
    redrawn: dict[str, Redrawn]


def draw_scenario(
    scenario: Scenario,
    prepare: PrepareParameters,
    held_out: int,
    step: float,
    seed: int,
    workers: int,
) -> Drawn:
    """Draw the images of a scenario, and its held-out ones with each feature moved.

    Args:
        scenario: which.
        prepare: how many images, of which size.
        held_out: images of the test split that effects are averaged over, at most.
        step: standard deviations that a feature is moved, to either side.
        seed: seed of the run.
        workers: processes.
    """
    digits = prepare_digits(scenario, prepare, seed, workers)
    rows = digits.rows_of("test")[:held_out]
    redrawn = {str(name): redraw(digits, str(name), rows, step, workers) for name in digits.context}
    return Drawn(digits, rows, redrawn)


def arrays_of(drawn: Drawn) -> dict[str, np.ndarray]:
    """Return everything as arrays by name."""
    digits = drawn.digits
    arrays = {
        "sources": digits.sources,
        "images": digits.images,
        "label": digits.records["label"].to_numpy(),
        "split": digits.records["split"].to_numpy().astype(str),
        "held_out": drawn.held_out,
    }
    arrays |= {f"intended/{name}": column.to_numpy() for name, column in digits.intended.items()}
    arrays |= {f"context/{name}": column.to_numpy() for name, column in digits.context.items()}
    for name, sides in drawn.redrawn.items():
        arrays[f"above/{name}"] = sides.above
        arrays[f"below/{name}"] = sides.below
        arrays[f"steps/{name}"] = sides.steps
    return arrays


def drawn_from(arrays: dict[str, np.ndarray]) -> Drawn:
    """Return what ``arrays_of`` took apart."""
    digits = Digits(
        arrays["sources"],
        pd.DataFrame(under(arrays, "intended/")),
        arrays["images"],
        pd.DataFrame(under(arrays, "context/")),
        pd.DataFrame({"label": arrays["label"], "split": arrays["split"]}),
    )
    above, below, steps = (under(arrays, f"{name}/") for name in ("above", "below", "steps"))
    redrawn = {name: Redrawn(above[name], below[name], steps[name]) for name in above}
    return Drawn(digits, arrays["held_out"], redrawn)


def under(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with ``prefix``, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to ``path`` (.npz), which then holds all of them or is not there."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    part.replace(path)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what ``write_arrays`` wrote."""
    with np.load(path) as file:
        return dict(file)

"""What all cases of a scenario share, made once and kept on disk: images, redrawings, reader."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.glassbox.cases import Scenario
from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.digits import Digits, prepare_digits
from benchmarks.glassbox.truth import Redrawn, redraw
from glance_pipeline.compute import set_threads
from glance_pipeline.networks.reader import AttributeReader
from glance_pipeline.training.context import standardise_context
from glance_pipeline.training.reader import train_reader


@dataclass(frozen=True)
class Stock:
    """Images of a scenario with everything that does not depend on the teacher.

    Attributes:
        digits: the images.
        held_out: row numbers of the images that effects are averaged over.
        redrawn: those images with one feature moved, by feature.
        reader: the frozen attribute reader.
    """

    digits: Digits
    held_out: np.ndarray
    redrawn: dict[str, Redrawn]
    reader: AttributeReader


def make_stock(
    scenario: Scenario, configuration: Configuration, seed: int, path: Path, workers: int
) -> None:
    """Draw, redraw and train the reader of a scenario; write all of it to ``path`` (.npz)."""
    digits = prepare_digits(scenario, configuration.prepare, seed, workers)
    settings = configuration.glassbox
    rows = digits.rows_of("test")[: settings.held_out]
    redrawn = {
        str(name): redraw(digits, str(name), rows, settings.step, workers)
        for name in digits.context
    }
    set_threads(1)  # the reader's weights must not depend on the number of cores
    context, concepts = standardise_context(digits.context, digits.records, {})
    training = digits.rows_of("train")
    reader = train_reader(
        digits.images[training],
        context[training],
        concepts,
        configuration.align.reader,
        seed,
    )
    _write(path, Stock(digits, rows, redrawn, reader))


def _write(path: Path, stock: Stock) -> None:
    digits = stock.digits
    arrays = {
        "sources": digits.sources,
        "images": digits.images,
        "label": digits.records["label"].to_numpy(),
        "split": digits.records["split"].to_numpy().astype(str),
        "held_out": stock.held_out,
    }
    arrays |= {f"intended/{name}": column.to_numpy() for name, column in digits.intended.items()}
    arrays |= {f"context/{name}": column.to_numpy() for name, column in digits.context.items()}
    for name, sides in stock.redrawn.items():
        arrays[f"above/{name}"] = sides.above
        arrays[f"below/{name}"] = sides.below
        arrays[f"steps/{name}"] = sides.steps
    arrays |= {f"reader/{name}": value.numpy() for name, value in stock.reader.state_dict().items()}
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    part.replace(path)


def read_stock(path: Path, configuration: Configuration) -> Stock:
    """Read what ``make_stock`` wrote."""
    with np.load(path) as file:
        arrays = dict(file)

    def named(prefix: str) -> dict[str, np.ndarray]:
        return {
            name.removeprefix(prefix): value
            for name, value in arrays.items()
            if name.startswith(prefix)
        }

    context = pd.DataFrame(named("context/"))
    digits = Digits(
        arrays["sources"],
        pd.DataFrame(named("intended/")),
        arrays["images"],
        context,
        pd.DataFrame({"label": arrays["label"], "split": arrays["split"]}),
    )
    above, below, steps = named("above/"), named("below/"), named("steps/")
    redrawn = {name: Redrawn(above[name], below[name], steps[name]) for name in above}
    settings = configuration.align.reader
    header = {
        "features": tuple(context),
        "image_shape": digits.images.shape[1:],
        "widths": settings.widths,
        "hidden": settings.hidden,
    }
    weights = {name: torch.as_tensor(value) for name, value in named("reader/").items()}
    return Stock(digits, arrays["held_out"], redrawn, AttributeReader.from_weights(weights, header))

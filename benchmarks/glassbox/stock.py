"""What all cases of a scenario share, made once and kept on disk: images, redrawings, reader."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.glassbox.cases import Scenario
from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.drawn import (
    Drawn,
    arrays_of,
    draw_scenario,
    drawn_from,
    read_arrays,
    under,
    write_arrays,
)
from glance_pipeline.support.compute import set_threads
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.training.reader_training import train_reader, watched_for


@dataclass(frozen=True)
class Stock(Drawn):
    """Images of a scenario with everything that does not depend on the teacher.

    Attributes:
        reader: the frozen attribute reader.
    """

    reader: AttributeReader


def make_stock(
    scenario: Scenario, configuration: Configuration, seed: int, path: Path, workers: int
) -> None:
    """Draw, redraw and train the reader of a scenario; write all of it to ``path`` (.npz)."""
    sizes = configuration.glassbox
    drawn = draw_scenario(
        scenario, configuration.prepare, sizes.held_out, sizes.step, seed, workers
    )
    set_threads(1)  # the reader's weights must not depend on the number of cores
    digits = drawn.digits
    context, concepts = standardise_context(digits.context, digits.records, {})
    training = digits.rows_of("train")
    images, told = digits.images[training], context[training]
    settings = configuration.align
    watched = watched_for(images, told, concepts, settings.stage)
    reader = train_reader(images, told, concepts, settings.reader, seed, watched=watched)
    weights = {f"reader/{name}": value.numpy() for name, value in reader.state_dict().items()}
    weights["properties"] = np.array(reader.properties, dtype=str)
    write_arrays(path, arrays_of(drawn) | weights)


def read_stock(path: Path, configuration: Configuration) -> Stock:
    """Read what ``make_stock`` wrote."""
    arrays = read_arrays(path)
    drawn = drawn_from(arrays)
    settings = configuration.align.reader
    header = {
        "features": tuple(drawn.digits.context),
        "image_shape": drawn.digits.images.shape[1:],
        "widths": settings.widths,
        "hidden": settings.hidden,
        "properties": tuple(map(str, arrays["properties"])),
    }
    weights = {name: torch.as_tensor(value) for name, value in under(arrays, "reader/").items()}
    reader = AttributeReader.from_weights(weights, header)
    return Stock(drawn.digits, drawn.held_out, drawn.redrawn, reader)

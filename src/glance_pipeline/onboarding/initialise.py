"""From a user's wishes to ``conf/<name>/`` and to what is said about it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from glance_pipeline.classifiers.black_box import BlackBox, QueriesSpentError
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.config.reading.conf_files import Configuration, paths_of
from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.context.table import Kind, kinds_of
from glance_pipeline.ingest.agreement import disagreements
from glance_pipeline.onboarding import environment_files as files
from glance_pipeline.onboarding import environment_folder as configuration
from glance_pipeline.onboarding import summary as words
from glance_pipeline.onboarding.estimate import RunEstimate, TrainingSample, estimate_run
from glance_pipeline.onboarding.inspection.inspection import Inspected, inspect
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.onboarding.terminal.sections import Section
from glance_pipeline.onboarding.trying import telling
from glance_pipeline.support.compute import (
    choose_device,
    choose_precision,
    keep_freed_memory,
    set_threads,
)
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks.sizes import residual_for

_BLOCKS: dict[str, type[BaseModel]] = {
    "ingest": IngestParameters,
    "distill": DistillParameters,
    "disentangle": DisentangleParameters,
    "align": AlignParameters,
}


def initialise(
    wishes: Wishes,
    root: Path,
    asker: Asker,
    say: Callable[[str], None],
    agree: Callable[[str], bool],
    timed: bool = True,
) -> Path | None:
    """Look at everything, write ``conf/<name>/``, and say what was found and what comes next.

    Args:
        wishes: of the user.
        root: root of the project, absolute.
        asker: asks, or says what is missing.
        say: takes each part of what was found.
        agree: asks whether the folder is to be written.
        timed: whether training steps are timed.

    Returns:
        The folder; None if the user did not agree.

    Raises:
        ValueError: if something is missing or cannot be used; nothing is written then.
        FileNotFoundError: likewise.
    """
    conf = root / "conf"
    name = asker.settle(
        "--name",
        wishes.name,
        "Name of the environment, conf/<name>/",
        parse=lambda text: configuration.check_name(text.strip(), conf),
    )
    with paths_of(root):
        base = Configuration.read(conf, "base").parameters
    shared = SharedParameters.model_validate(base)
    keep_freed_memory()
    set_threads(shared.compute.threads)
    choose_device(shared.compute.device)
    choose_precision(shared.compute.precision)
    found = inspect(wishes, root, shared.seed, asker)
    kinds = kinds_of(found.found.context, {})
    written = _files(name, found, kinds, base)
    with configuration.written_aside(written, name, conf) as aside, paths_of(root):
        read_back = Configuration.read(aside, name)
    blocks = _checked(found, read_back.catalog, read_back.parameters)
    for part in _parts(found, kinds, blocks, shared.seed, timed):
        say(part)
    if not agree(f"Write conf/{name}/ ({', '.join(written)})?"):
        return None
    return configuration.put_in_place(written, name, conf)


def _parts(
    found: Inspected, kinds: dict[str, Kind], blocks: dict[str, Any], seed: int, timed: bool
) -> Iterator[str]:
    """Yield what was found, part by part; the last ones take some seconds."""
    classes, seconds = _answered(found)
    yield str(words.classifier_section(found))
    if found.reads.tried is not None and not found.reads.tried.asked:  # or it was shown then
        yield str(Section(*telling.section(found.reads.tried)))
    yield str(words.images_section(found, _accuracy(found, classes)))
    yield str(words.context_section(found, kinds))
    if others := words.other_messages(found.messages):
        yield str(Section("Beside that", [("", text) for text in others]))
    if timed:
        yield _expected(found, blocks, seed, seconds)
    stages = {part: blocks[part].stage for part in ("distill", "disentangle", "align")}
    yield str(words.gradients_section(found, stages, _asked(found)))


def _files(
    name: str, found: Inspected, kinds: dict[str, Kind], base: dict[str, Any]
) -> dict[str, str]:
    """Return the environment's files by name."""
    size = found.ingest.size
    levels = sum(_dimensions(found, feature, kind) for feature, kind in kinds.items())
    residual = int(base["distill"]["surrogate"]["residual"])
    room = residual_for(residual, levels)
    said = str(words.classifier_section(found))
    return {
        "globals.yml": files.globals_yml(name),
        "catalog.yml": files.catalog_yml(
            found.model.entry, found.specification, said, found.reads.how
        ),
        "parameters_ingest.yml": files.ingest_yml(
            found.ingest, kinds, words.left_out(found.messages), str(found.looks)
        ),
        "parameters_distill.yml": files.distill_yml(size, levels, residual, room),
        "parameters_align.yml": files.align_yml(size, kinds, base["align"]["units"]),
    }


def _dimensions(found: Inspected, feature: str, kind: Kind) -> int:
    """Return how many dimensions of the residual code a context feature takes."""
    return found.found.context[feature].nunique() - 1 if kind == "categorical" else 1


def _checked(
    found: Inspected, catalog: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return the typed parameters; refuse files that do not say what was meant.

    Raises:
        UserError: if the configuration reads otherwise than it was written, or does not fit.
    """
    blocks: dict[str, Any] = {
        name: kind.model_validate(parameters[name]) for name, kind in _BLOCKS.items()
    }
    entry = {"type", "metadata", *found.model.entry, "specification"}
    same = set(catalog["classifier"]) == entry and all(
        catalog["classifier"][key] == value for key, value in found.model.entry.items()
    )
    if blocks["ingest"] != found.ingest or not same:
        raise UserError(
            "what was written is read back differently, as a path or name with ${ in it would be; "
            "wanted names without"
        )
    widths = {
        "distill.surrogate.widths": blocks["distill"].surrogate.widths,
        "align.reader.widths": blocks["align"].reader.widths,
    }
    said = disagreements(found.ingest, found.classifier.specification.image_shape, widths)
    if said:
        raise UserError("; ".join(said))
    return blocks


def _answered(found: Inspected) -> tuple[np.ndarray, float]:
    """Return the class (n,) that each image of the sample is given, and the seconds for one.

    Timed here, where a black box is asked for the first time: later its answers are known.

    Raises:
        ValueError: if the classifier's answers are not finite.
    """
    images = found.sample.images
    began = time.perf_counter()
    logits = found.classifier.answers(images).logits
    return logits.argmax(1).numpy(), (time.perf_counter() - began) / len(images)


def _accuracy(found: Inspected, answers: np.ndarray) -> tuple[float, float, int] | None:
    """Return the share of labelled images that are right, that of the most frequent class, and n.

    Args:
        found: what was found.
        answers: the class of each image of the sample, (n,).
    """
    labels = found.labels_of_sample()
    if labels is None or not labels.notna().any() or found.reads.outputs.kind == "values":
        return None
    known = labels.notna().to_numpy()
    named = np.array(found.classes.names)[answers]
    right = named[known] == labels[known].to_numpy()
    frequent = labels[known].value_counts(normalize=True).iloc[0]
    return float(right.mean()), float(frequent), int(known.sum())


def _expected(found: Inspected, blocks: dict[str, Any], seed: int, seconds: float) -> str:
    """Say what a run will take, or why that could not be found out.

    Args:
        found: what was found.
        blocks: parameters of the stages.
        seed: seed of the run.
        seconds: that the classifier takes for an image.
    """
    try:
        known = _estimated(found, blocks, seed)
    except QueriesSpentError as error:
        return f"Expected of a run: not known, no steps could be timed: {error}"
    count = len(found.found.rows)
    # What a black box said is kept; another one is asked once a stage, and for its accuracy.
    times = 1 if isinstance(found.classifier.network, BlackBox) else 4
    reading, asking = count * found.sample.seconds, times * count * seconds
    return str(words.estimate_section(reading, asking, known))


def _estimated(found: Inspected, blocks: dict[str, Any], seed: int) -> RunEstimate:
    """Time training steps of the run."""
    align = blocks["align"]
    records = found.found.records
    with kept_messages():
        context, concepts = standardise_context(
            found.found.context, records, align.units, align.kinds
        )
        place = {row: number for number, row in enumerate(found.found.rows.tolist())}
        rows = [place[row] for row in found.sample.rows.tolist()]
        return estimate_run(
            TrainingSample(found.sample.images, context[rows], concepts),
            found.classifier,
            (blocks["distill"], blocks["disentangle"], align),
            int((records["split"] == "train").sum()),
            seed,
        )


def _asked(found: Inspected) -> int:
    """Return how many images a black box was asked about by now."""
    network = found.classifier.network
    return found.asked + (network.queries.asked if isinstance(network, BlackBox) else 0)

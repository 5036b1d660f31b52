"""What was found, in words for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.forms.file_formats import PROGRAMS
from glance_pipeline.classifiers.penultimate import WithFeatures, layer_of_features
from glance_pipeline.classifiers.specification import TASKS
from glance_pipeline.classifiers.task import Each, OneOf, Values
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.context.table import Kind, as_levels, levels_of
from glance_pipeline.images.form import to_float
from glance_pipeline.onboarding.estimate import RunEstimate
from glance_pipeline.onboarding.inspection.inspection import Inspected
from glance_pipeline.onboarding.terminal.sections import Section
from glance_pipeline.support.number_format import format_number, format_share

_SHOWN = 8  # of classes and levels
_BUSY = 0.6  # share of the cores' time below which others are at work too
_REST = "discover, explain and evaluate come on top, and are not estimated"
_GOOD = 0.9  # accuracy below which it is worth a look whether images come as they should
_LOOK = "look at --mean, --std, --crop, --fit, --colour and the order of --class-names"
_CALLED: dict[type, str] = {OneOf: "classes", Each: "labels", Values: "numbers"}
_MANY = 15  # context features of which one may want to choose


def classifier_section(found: Inspected) -> Section:
    """Say what the classifier is, takes and gives."""
    classifier, specification = found.classifier, found.classifier.specification
    channels, height, width = specification.network_shape
    weights = sum(part.numel() for part in classifier.network.parameters())
    form = f"{found.model.form}, {found.model.entry['network']}" if (
        found.model.form == "weights"
    ) else found.model.form  # fmt: skip
    lines = [("form", form + (f", {weights:,} weights" if weights else ""))]
    is_program = found.model.form in PROGRAMS
    trust = "a program, loaded on your word" if is_program else "data: nothing in it was run"
    lines.append(("trust", trust))
    if found.model.form == "weights" and (chosen := _chosen_weights(found.model.entry)):
        lines.append(("weights", chosen))
    lines.append(("input", f"{channels} × {height} × {width} ({found.takes.how})"))
    if specification.network_shape != specification.image_shape:
        shape = " × ".join(map(str, specification.image_shape))
        lines.append(("images", f"{shape}, brought to the input by {_way(found)}"))
    means = [f"{value:.4g}" for value in specification.mean]
    stds = [f"{value:.4g}" for value in specification.std]
    said = f"mean {', '.join(means)}; std {', '.join(stds)}, of [0, 1] ({found.reads.how})"
    lines.append(("normalised", said))
    names = found.classes.names
    more = f", … ({len(names)})" if len(names) > _SHOWN else ""
    what = _CALLED[TASKS[found.reads.outputs.kind]]
    lines.append((what, f"{', '.join(names[:_SHOWN])}{more} ({found.classes.how})"))
    lines.append(("output", f"{found.reads.outputs.kind} ({found.reads.outputs.how})"))
    lines.append(("features", _features(found)))
    return Section(f"Classifier {found.model.name}", lines)


def _chosen_weights(entry: Mapping[str, Any]) -> str:
    """Say which of a checkpoint's weights are taken, and under which names."""
    parts = []
    if "key" in entry:
        parts.append(f"those under {entry['key']!r}")
    if "prefix" in entry:
        parts.append(f"{entry['prefix']!r} is cut off their names")
    return "; ".join(parts)


def _way(found: Inspected) -> str:
    specification = found.classifier.specification
    ways = []
    if specification.input_size not in (None, specification.image_shape[1:]):
        ways.append(f"fit: {specification.fit}")
    if specification.colour:
        ways.append(f"colour: {specification.colour}")
    return " and ".join(ways)


def _features(found: Inspected) -> str:
    classifier = found.classifier
    width = classifier.answers(found.sample.images[:1]).features.shape[1]
    named, network = classifier.specification.feature_layer, classifier.network
    if not named and not isinstance(network, WithFeatures):
        images = to_float(found.sample.images[:2]).to(classifier.device)
        layer = layer_of_features(network, None, classifier.entrance(images).contiguous())
        named = next(name for name, part in network.named_modules() if part is layer)
    if named:
        return f"{width}, the input of {named}"
    if isinstance(network, BlackBox) and width == len(found.classes.names):
        return "none: its answers take their place"
    return f"{width}, the input of the layer that answers"


def gradients_section(
    found: Inspected, stages: Mapping[str, StageParameters], asked: int
) -> Section:
    """Say whether the classifier has gradients, and what it means where it has none."""
    if found.classifier.differentiable:
        return Section("Gradients: yes", [])
    once = len(found.found.rows)
    training = sum(2 * stage.batch_size * stage.steps for stage in stages.values())
    lines = [
        ("meaning", "it only answers; slopes are the student's (docs/how_to/bring_your_own.md)"),
        ("queries", f"at most {training:,} for training, {once:,} for the images themselves,"),
        ("", "and those of discover, explain and evaluate, a run"),
        ("so far", f"this command asked it about {asked:,} images"),
    ]
    cap = found.model.entry.get("most_queries")
    if cap is not None and cap < training + once:
        lines.append(("warning", f"most_queries is {cap:,}: the run will stop there"))
    return Section("Gradients: none, a black box", lines)


def images_section(found: Inspected, accuracy: tuple[float, float, int] | None) -> Section:
    """Say what the images are, how they are split, and how often the classifier is right.

    Args:
        found: what was found.
        accuracy: share that is right, share of the most frequent class, number of images; None
            without labels.
    """
    records, sample = found.found.records, found.sample
    sizes = records["split"].value_counts()
    splits = ", ".join(f"{n} {sizes.get(n, 0):,}" for n in ("train", "validation", "test"))
    by = "at random"
    if found.ingest.split_column is not None:
        by = f"as {found.ingest.split_column} says"
    elif found.ingest.group is not None:
        by = f"no {found.ingest.group} in two of them"
    channels, size, _ = found.classifier.specification.image_shape
    crop = "" if found.ingest.crop is None else f", cropped to {_crop(found.ingest.crop)} first"
    lines = [
        ("number", f"{len(records):,}: {splits} ({by})"),
        ("they are", f"{found.looks} (a sample of {len(found.looks.sizes)})"),
        ("become", f"{channels} × {size} × {size} px{crop}"),
    ]
    if sample.unreadable:
        count = len(sample.unreadable)
        some = "; ".join(sample.unreadable[:3])
        lines.append(("unreadable", f"{count} of a sample of {count + len(sample.rows)}: {some}"))
    if "label" in records:
        levels = records["label"].value_counts()
        some = ", ".join(f"{name} {number:,}" for name, number in levels.head(_SHOWN).items())
        more = f", … ({len(levels)})" if len(levels) > _SHOWN else ""
        lines.append(("labels", f"{some}{more} ({_of_labels(found.ingest)})"))
    else:
        lines.append(("labels", "none: accuracy is not measured, and none is needed"))
    return Section(f"Images {found.ingest.source}", lines + _accuracy(found, accuracy))


def _of_labels(ingest: IngestParameters) -> str:
    """Say where labels come from."""
    if ingest.labels == "column":
        return f"of the column {ingest.label_column!r}"
    return "of the folders" if ingest.labels == "folders" else "of a file"


def _crop(crop: int | str) -> str:
    return "the middle square" if crop == "square" else f"the middle {crop} px"


def _accuracy(found: Inspected, accuracy: tuple[float, float, int] | None) -> list[tuple[str, str]]:
    if accuracy is None:
        return []
    share, frequent, count = accuracy
    lines = [("accuracy", f"{100 * share:.1f} % of a sample of {count} labelled images")]
    if TASKS[found.reads.outputs.kind] is Each:
        said = f"{100 * share:.1f} % of a sample of {count} images have their own label as the"
        lines = [("accuracy", f"{said} likeliest; other labels are not judged")]
    if share < frequent + 2 * np.sqrt(frequent * (1 - frequent) / count):
        said = f"always the most frequent class would be right on {100 * frequent:.1f} %: {_LOOK}"
        lines.append(("warning", said))
    elif share < _GOOD:
        lines.append(("hint", f"if it did better where it was trained, {_LOOK}"))
    return lines


def context_section(found: Inspected, kinds: Mapping[str, Kind]) -> Section:
    """Say which columns become context features, of which kind, and which do not and why."""
    context = found.found.context
    lines = [(str(name), _column(context[name], kinds[str(name)])) for name in context]
    count = len(lines)
    if count > _MANY:
        lines = _together(lines)
    reasons = [text.removeprefix("context: ") for text in left_out(found.messages)]
    if not lines:
        said = "none: all concepts will be latent, without names"
        return Section(f"Context features: {said}", [("", reason) for reason in reasons])
    if count > _MANY:
        hint = f"{count} are many: choose by --features those that a picture shows"
        lines.append(("hint", hint))
    return Section("Context features", lines + [("", reason) for reason in reasons])


def _together(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return one line for all features of which the same is said."""
    names: dict[str, list[str]] = {}
    for name, said in lines:
        names.setdefault(said, []).append(name)
    return [(said, ", ".join(each)) for said, each in names.items()]


def left_out(messages: Sequence[str]) -> list[str]:
    """Return what the log says of columns that are no context features."""
    return [text for text in messages if text.startswith("context: ") and " is left out" in text]


def other_messages(messages: Sequence[str]) -> list[str]:
    """Return what else the log says and is said nowhere else."""
    known = left_out(messages)
    routine = ("labels:", "context features:", "left out:")
    return [
        text
        for text in messages
        if text not in known and not text.startswith(routine) and "; train " not in text
    ]


def _column(column: pd.Series, kind: Kind) -> str:
    missing = column.isna().mean()
    rest = f", missing in {format_share(float(missing))}" if missing else ""
    if kind == "continuous":
        low, high = float(column.min()), float(column.max())
        return f"continuous, {format_number(low, 3)} … {format_number(high, 3)}{rest}"
    levels = levels_of(as_levels(column) if column.dtype == object else column)
    some = ", ".join(levels[:_SHOWN]) + (f", … ({len(levels)})" if len(levels) > _SHOWN else "")
    return f"{kind}: {some}{rest}"


def estimate_section(reading: float, asking: float, estimate: RunEstimate) -> Section:
    """Say how long the run will take and what it will need, and how that is known.

    Args:
        reading: seconds to read all images.
        asking: seconds to ask the classifier about all of them.
        estimate: of the training.
    """
    parts = {"reading images": reading, **estimate.stages}
    if estimate.reader:
        parts["attribute reader"] = estimate.reader
    parts["asking the classifier"] = asking
    total = sum(parts.values())
    busy = estimate.busy < _BUSY
    scale = estimate.busy if busy else 1.0
    lines = [("time", duration(total * scale))]
    if busy:
        share = format_share(estimate.busy)
        said = f"alone; {duration(total)} if the machine stays as busy as now ({share} of its time)"
        lines = [("time", f"{duration(total * scale)} {said}")]
    lines += [(f"  {name}", duration(seconds * scale)) for name, seconds in parts.items()]
    lines.append(("", _REST))
    lines.append(("memory", f"{estimate.memory_mb / 1000:.1f} GB while training"))
    threads = f"{estimate.threads} thread{'s' if estimate.threads > 1 else ''}"
    if estimate.on_gpu:
        threads = "a GPU, whose own memory is not counted"
    how = f"{estimate.steps} training steps, timed just now with {threads}"
    return Section(f"Expected of a run, from {how}", lines)


def duration(seconds: float) -> str:
    """Write seconds as a person would."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"

"""Labels, groups and splits: what the user says of them, or what names and tables suggest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.join import join_tables
from glance_pipeline.context.labels import labels_as_found, values_in_order
from glance_pipeline.context.table import as_levels, levels_of
from glance_pipeline.images.sources.image_source import ImageSource
from glance_pipeline.images.splits import are_splits
from glance_pipeline.onboarding.terminal.asking import Asker, none_or
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.onboarding.terminal.user_paths import Place
from glance_pipeline.onboarding.trying.orders import Order
from glance_pipeline.support.errors import UserError
from glance_pipeline.tables import TableReading

_LABELS = ("label", "labels", "class", "target", "category")
_GROUPS = ("identity", "person", "patient", "subject", "group")
_SPLITS = ("split", "partition")
_SPLIT_WORDS = frozenset(
    ("train", "training", "validation", "valid", "val", "dev", "test", "testing")
)
"""Names of columns and folders that are taken for what they say, unless the user says else."""


@dataclass(frozen=True)
class Around:
    """What there is beside the images.

    Attributes:
        names: names of the images.
        columns: columns of the tables and of the source, one row for each image.
        tables: that were joined.
        label_file: file with the labels, or one that lies beside an idx file.
        has_order: whether the images are known by their order.
    """

    names: tuple[str, ...]
    columns: pd.DataFrame
    tables: tuple[Place, ...]
    label_file: Place | None
    has_order: bool = False


def around(
    source: ImageSource, tables: Sequence[Place], wishes: Wishes, label_file: Place | None
) -> Around:
    """Join the tables with the images; see ``ingest.join`` for what is refused."""
    columns = source.columns.reindex(pd.RangeIndex(len(source)))
    if tables:
        words = {*_LABELS, *_GROUPS, *_SPLITS, wishes.labels, wishes.group, wishes.split} - {None}
        reading = TableReading(
            wishes.separator, wishes.encoding, as_words=frozenset(map(str, words))
        )
        places = [place.path.as_posix() for place in tables]
        joined = join_tables(places, wishes.table_key, source.names, reading, source.has_order)
        columns = joined.join(source.columns.drop(columns=list(joined), errors="ignore"))
    return Around(source.names, columns, tuple(tables), label_file, source.has_order)


def label_file_beside(images: Path) -> bool:
    """Say whether an idx file of images has one of labels beside it."""
    plain = images.with_name(images.name.removesuffix(".gz").replace("images-idx3", "labels-idx1"))
    there = (plain, plain.with_name(plain.name + ".gz"))
    return "images-idx3" in images.name and any(path.is_file() for path in there)


def settle_labels(
    found: Around, images: Path, classes: int, wishes: Wishes, asker: Asker
) -> dict[str, Any]:
    """Return the fields of ``ingest`` that say where labels are; empty without any.

    Args:
        found: beside the images.
        images: the images' file or folder.
        classes: number of the classifier's answers.
        wishes: of the user.
        asker: asks with what is suggested as the default.
    """
    if wishes.label_file is not None and wishes.labels in (None, "file"):
        assert found.label_file is not None
        return {"labels": "file", "label_file": found.label_file}
    suggested = _suggested_labels(found, images, classes)
    word = asker.settle(
        "--labels",
        wishes.labels,
        "Labels: folders, file, the name of a column, or none",
        default=suggested or "none",
        parse=lambda text: _known_label(text.strip(), found),
    )
    if word == "none":
        return {}
    if word in ("folders", "file"):
        return {"labels": word}
    return {"labels": "column", "label_column": word}


def _known_label(word: str, found: Around) -> str:
    if word in ("folders", "file", "none") or word in found.columns:
        return word
    there = list(map(str, found.columns)) or "no table has any"
    raise UserError(
        f"found {word!r}, wanted folders, file, none, or the name of a column; columns: {there}"
    )


def _suggested_labels(found: Around, images: Path, classes: int) -> str | None:
    """Return the one place whose values are as many as the classifier has answers, if any."""
    folders = {PurePosixPath(name).parent.name for name in found.names}
    if len(folders) == classes and not folders & _SPLIT_WORDS and "" not in folders:
        return "folders"
    if label_file_beside(images):
        return "file"
    for name in map(str, found.columns):
        if name.lower() in _LABELS and len(levels_of(found.columns[name])) == classes:
            return name
    return None


def settle_group_and_split(found: Around, wishes: Wishes, asker: Asker) -> dict[str, Any]:
    """Return the fields of ``ingest`` that say which images go together, and into which split."""
    first = {PurePosixPath(name).parts[0].lower() for name in found.names}
    by_folder = first <= _SPLIT_WORDS and len(first) > 1
    columns = {str(name).lower(): str(name) for name in found.columns}
    there = list(map(str, found.columns))

    def column(text: str) -> str | None:
        word = none_or(text)
        if word is not None and word not in (*there, "folders"):
            raise UserError(f"there is no column {word!r}; found {there or 'no column at all'}")
        return word

    known = (columns[n] for n in _SPLITS if n in columns and are_splits(found.columns[columns[n]]))
    split = "folders" if by_folder else next(known, "none")
    if wishes.group is not None and wishes.split is None:
        split = "none"  # one way of splitting was named
    elif found.columns.shape[1] or by_folder or wishes.split is not None:
        question = "Column that says the split, folders, or none"
        split = asker.settle("--split", wishes.split, question, split, column) or "none"
    if split != "none":
        if none_or(wishes.group or "") is not None:
            raise UserError(
                f"--group {wishes.group} and --split {split} were both found; wanted one of them: "
                "a column that says the split leaves nothing to group"
            )
        return {"split_column": split}
    group = next((columns[n] for n in _GROUPS if _repeats(found.columns, columns.get(n))), "none")
    if found.columns.shape[1] or wishes.group is not None:
        question = "Column whose equal values stay in one split (as a person's number), or none"
        group = asker.settle("--group", wishes.group, question, group, column) or "none"
    return {} if group == "none" else {"group": group}


def _repeats(columns: pd.DataFrame, name: str | None) -> bool:
    return name is not None and bool(columns[name].dropna().duplicated().any())


def values_of_labels(
    found: Around, labels: Mapping[str, Any], images: Path, label_order: str | None = None
) -> pd.Series:
    """Return the label of each image of the source as text, None if not known.

    Args:
        found: beside the images.
        labels: what ``settle_labels`` returned.
        images: the images' file or folder.
        label_order: in which a file of labels names the images.
    """
    fields = dict(labels) | {"source": images.as_posix(), "label_order": label_order}
    if fields.get("label_file") is not None:
        fields["label_file"] = fields["label_file"].path.as_posix()
    parameters = IngestParameters.model_validate(fields)
    with kept_messages():  # the run's own reading will say it again
        values, _ = labels_as_found(found.names, found.columns, parameters, found.has_order)
    return as_labels(values)


def as_labels(values: pd.Series) -> pd.Series:
    """Return a category of labels as text, in the order in which ``class_names`` names them."""
    text = as_levels(values)
    return text.astype(pd.CategoricalDtype(list(values_in_order(values)), ordered=True))


def first_come(values: pd.Series) -> tuple[str, ...]:
    """Return the values of labels in the order in which they first come."""
    return tuple(values.dropna().astype(str).unique())


def names_for_labels(
    values: Sequence[str], class_names: Sequence[str], order: Order
) -> tuple[str, ...] | None:
    """Return what the values of labels, in their order, are to be called; None as they are.

    Args:
        values: values of the labels, in the order in which ``ingest.class_names`` names them.
        class_names: class names of the classifier.
        order: the answer that each value stands for.
    """
    if set(values) & set(class_names):
        return None
    return tuple(class_names[order.numbers[value]] for value in values)

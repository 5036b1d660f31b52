"""Everything that is known of the images before one of them is read."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.join import join_tables
from glance_pipeline.context.labels import column_of, labels_of
from glance_pipeline.context.table import Kind
from glance_pipeline.images.sources.image_source import ImageSource, Rules
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.images.splits import split_by_column, split_by_fractions, split_by_group
from glance_pipeline.ingest.features import choose_features, drop_unusable
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.tables import TableReading

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundImages:
    """The images that are to be read, with their records and context features.

    Attributes:
        source: where they come from.
        rows: rows of the source, int64 (N,), in the order of the array to be.
        records: N rows: ``label`` (a class name) where there are labels, ``split``, ``file``.
        context: N rows, one column for each context feature, possibly none.
    """

    source: ImageSource
    rows: np.ndarray
    records: pd.DataFrame
    context: pd.DataFrame

    def that_were(self, read: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return records and context features of the rows of the source that could be read."""
        place = pd.Index(self.rows).get_indexer(pd.Index(read))
        records, context = self.records.iloc[place], self.context.iloc[place]
        return records.reset_index(drop=True), context.reset_index(drop=True)


def find_images(parameters: IngestParameters, kinds: Mapping[str, Kind], seed: int) -> FoundImages:
    """Find images, join their tables, choose features, and split: all that reads no image.

    The images come in random order, but those of a Hugging Face data set in their own.

    Args:
        parameters: parameters of the pipeline.
        kinds: kinds of context features, where declared.
        seed: the run's seed.

    Raises:
        FileNotFoundError: if a file or folder does not exist.
        UserError: if something of the data or parameters cannot be used; it is named.
    """
    source = open_source(parameters.source, parameters.kind, Rules.of(parameters))
    columns = columns_of(source, parameters)
    labels = labels_of(source.names, columns, parameters, source.has_order)
    rows = _rows(source, columns, parameters, seed)
    names = [source.names[row] for row in rows]
    columns = columns.iloc[rows].reset_index(drop=True)
    labels = None if labels is None else labels.iloc[rows].reset_index(drop=True)
    records = pd.DataFrame({"file": names})
    records.insert(0, "split", _split(columns, names, labels, parameters, seed))
    if labels is not None:
        records.insert(0, "label", labels)
    _warn_of_classes_that_lack_a_split(records)
    wanted = parameters.context.features
    context = choose_features(columns, wanted, _reserved(source, parameters), kinds)
    context = drop_unusable(context, records, kinds, named=wanted is not None)
    _log(source, records, context)
    return FoundImages(source, rows, records, context)


def columns_of(source: ImageSource, parameters: IngestParameters) -> pd.DataFrame:
    """Return what tables and source say of the images, tables first."""
    own = source.columns.reindex(pd.RangeIndex(len(source)))
    context = parameters.context
    if not context.tables:
        return own
    reading = TableReading.of(parameters)
    joined = join_tables(context.tables, context.key, source.names, reading, source.has_order)
    both = [name for name in own if name in joined]
    if both:
        logger.warning("context: %s of the data set give way to the tables'", both)
    return joined.join(own.drop(columns=both))


def _rows(
    source: ImageSource, columns: pd.DataFrame, parameters: IngestParameters, seed: int
) -> np.ndarray:
    """Return the rows that are taken, in the order they are taken in."""
    rows = np.arange(len(source))
    unnamed = np.zeros(len(rows), dtype=bool)
    if len(columns.columns):
        unnamed = columns.isna().all(axis=1).to_numpy()
    if unnamed.any():
        dropped = parameters.context.without_row == "drop"
        logger.warning(
            "context: %d of %d images have no row, or none with a value; they are %s",
            unnamed.sum(),
            len(rows),
            "left out" if dropped else "kept, all their values missing",
        )
        rows = rows[~unnamed] if dropped else rows
    return chosen_rows(source, rows, parameters.number_of_images, seed)


def chosen_rows(source: ImageSource, rows: np.ndarray, number: int | None, seed: int) -> np.ndarray:
    """Return the rows that a run takes of those it may take, in the order it takes them in.

    Args:
        source: source of the images.
        rows: that may be taken, int64 (M,).
        number: number of images, drawn at random; None takes all.
        seed: the run's seed.

    Raises:
        UserError: if there are fewer.
    """
    number = number or len(rows)
    if number > len(rows):
        raise UserError(
            f"ingest.number_of_images: found {number}, wanted at most {len(rows)}, all that "
            f"{source.place} has"
        )
    chosen = numpy_generator(seed, "ingest", "order").permutation(rows)[:number]
    return chosen if source.in_any_order else np.sort(chosen)


def _split(
    columns: pd.DataFrame,
    names: list[str],
    labels: pd.Series | None,
    parameters: IngestParameters,
    seed: int,
) -> np.ndarray:
    rng = numpy_generator(seed, "ingest", "split")
    # An image of unknown class goes with the most frequent one.
    strata = None if labels is None else labels.fillna(labels.mode().iloc[0]).to_numpy(dtype=str)
    if parameters.group is not None:
        groups = column_of(columns, parameters.group, "ingest.group")
        return split_by_group(groups, parameters.fractions, rng)
    if parameters.split_column is None:
        return split_by_fractions(strata, len(names), parameters.fractions, rng)
    if parameters.split_column == "folders":
        first = [PurePosixPath(name).parts[0] for name in names]
        said = pd.Series(first, name="folders")
    else:
        said = column_of(columns, parameters.split_column, "ingest.split_column")
    return split_by_column(said, strata, parameters.fractions, rng)


def _reserved(source: ImageSource, parameters: IngestParameters) -> dict[str, str]:
    """Return what columns are for that are no context features unless they are named."""
    reserved = {"split": "it is the split of a data set"} if "split" in source.columns else {}
    if parameters.labels == "column":
        reserved[parameters.label_column] = (
            "it is the label; name it in ingest.context.features to have it all the same"
        )
    if parameters.group is not None:
        reserved[parameters.group] = "it is the group of ingest.group"
    if parameters.split_column is not None:
        reserved[parameters.split_column] = "it is the split"
    return reserved


def _warn_of_classes_that_lack_a_split(records: pd.DataFrame) -> None:
    """Name classes that a split holds none of, as groups and columns may have it."""
    if "label" not in records:
        return
    for split, labels in records.groupby("split")["label"]:
        absent = sorted(set(records["label"].dropna()) - set(labels))
        if absent:
            logger.warning("labels: the split %s holds no image of %s", split, absent[:10])


def _log(source: ImageSource, records: pd.DataFrame, context: pd.DataFrame) -> None:
    sizes = records["split"].value_counts()
    logger.info(
        "%s: %d images; train %d, validation %d, test %d",
        source.place,
        len(records),
        *(sizes.get(name, 0) for name in ("train", "validation", "test")),
    )
    if "label" in records:
        classes = records["label"].value_counts(dropna=False)
        some = ", ".join(f"{name} {count}" for name, count in classes.head(12).items())
        logger.info("labels: %d classes: %s", records["label"].nunique(), some)
    else:
        logger.info("labels: none; accuracy cannot be measured")
    if context.shape[1]:
        logger.info("context features: %s", ", ".join(map(str, context)))
    else:
        logger.warning("context features: none; all concepts will be latent, without names")

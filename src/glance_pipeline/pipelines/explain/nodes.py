"""Nodes of the ``explain`` pipeline."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations import Explanation, LocalExplanations
from glance_pipeline.explanations.result.explanation_folder import SavedExplanations
from glance_pipeline.explanations.running.batchwise import BatchwiseExplanations
from glance_pipeline.explanations.running.selection import (
    ChosenImages,
    choose_images,
    first_of_split,
)
from glance_pipeline.explanations.running.shards import (
    Shards,
    ShardsToCome,
    folder_names,
    rows_of_shard,
)
from glance_pipeline.graph import CausalGraph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.report import render_report
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import TwinSurrogate

logger = logging.getLogger(__name__)

Explained = Iterable[Explanation] | ShardsToCome
"""What the images' explanations are to be had from, where they can be had."""


def select_images_to_explain(
    images: np.ndarray,
    form: dict[str, Any] | None,
    records: pd.DataFrame,
    parameters: ExplainParameters,
) -> ChosenImages:
    """Find the images that ``explain.images`` names; by default the first of the test split."""
    named = parameters.images or first_of_split(records, parameters.count)
    chosen = choose_images(named, images, records, form)
    chosen.check(_rows(chosen, parameters))
    return chosen


def explain_chosen_images(
    *,
    chosen: ChosenImages,
    surrogate: TwinSurrogate,
    classifier: Classifier,
    concepts: ConceptTable,
    records: pd.DataFrame,
    shards_folder: Path,
    models: StructuralModels,
    graph: CausalGraph,
    parameters: ExplainParameters,
    seed: int,
) -> Explained:
    """Explain the chosen images; or one shard of them, and hand on all where all are finished.

    Without shards the images are explained while ``keep_explanations`` takes them.
    """
    methods = LocalExplanations.from_artifacts(
        surrogate, classifier, concepts, records, models, parameters, seed=seed, graph=graph
    )
    if parameters.num_shards == 1:
        return BatchwiseExplanations(methods, chosen)
    shards = Shards.of_work(shards_folder, methods, chosen)
    rows = _rows(chosen, parameters)
    names = folder_names(chosen)[rows.start : rows.stop]
    shards.write(parameters.shard_index, BatchwiseExplanations(methods, chosen, rows), names)
    missing = shards.missing()
    if not missing:
        return shards.union()
    listed = ", ".join(map(str, missing))
    logger.info("to come before all are put together: explain.shard_index=%s", listed)
    return ShardsToCome(missing, shards.number)


def keep_explanations(explained: Explained) -> Iterator[Iterable[Explanation]]:
    """Save the explanations, all of them at once; nothing while shards are to come."""
    if not isinstance(explained, ShardsToCome):
        yield explained


def write_report(
    explanations: SavedExplanations | None,
    explained: Explained,
    graph: CausalGraph,
    surrogate: TwinSurrogate,
    metrics: dict[str, Any] | None,
    parameters: ExplainParameters,
) -> Iterator[str]:
    """Write the report, one HTML page that opens offline; nothing while shards are to come.

    Args:
        explanations: as ``keep_explanations`` saved them, in this run or, while shards are to
            come, in an earlier one.
        explained: says whether shards are to come.
        graph: the global causal graph.
        surrogate: surrogate whose concepts are described.
        metrics: metrics of ``evaluate``; None before it.
        parameters: how many images the page shows.
    """
    if explanations is not None and not isinstance(explained, ShardsToCome):
        yield render_report(
            explanations, graph, surrogate.concepts, metrics, parameters.report_images
        )


def _rows(chosen: ChosenImages, parameters: ExplainParameters) -> range:
    """Return which of the chosen images this run explains."""
    return rows_of_shard(
        len(chosen), parameters.at_once, parameters.num_shards, parameters.shard_index
    )

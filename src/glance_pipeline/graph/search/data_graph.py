"""The data's own graph: the same search on the measured context features."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.context.table import as_levels
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.search.columns import fewest_rows
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.support.seeding import seed_sequence
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Concept

_LOGGER = logging.getLogger(__name__)
STREAM = "data graph"
_NOTHING = Knowledge()


def measured_concepts(context: pd.DataFrame, concepts: Sequence[Concept]) -> ConceptTable:
    """Return measured features in the columns that their aligned concepts have.

    Args:
        context: one row per image, one column per context feature; values may be missing.
        concepts: concepts of the surrogate; latent ones are passed over, pruned ones are not.

    Returns:
        Columns named as the concepts: a continuous feature as it is, float64; a binary feature and
        each level of a categorical one as 0 and 1. NaN where the feature is missing. No margins.

    Raises:
        ValueError: if an aligned concept's feature is no column.
    """
    columns = {}
    for concept in concepts:
        if concept.kind != "aligned":
            continue
        feature = concept.feature or concept.name
        if feature not in context:
            raise ValueError(
                f"context_features: the concept {concept.name!r} was aligned with {feature!r}, "
                f"found the columns {list(map(str, context))}"
            )
        columns[concept.name] = _numbers(context[feature], concept)
    aligned = [concept for concept in concepts if concept.kind == "aligned"]
    return ConceptTable(
        concepts=pd.DataFrame(columns, index=context.index),
        margins=pd.DataFrame(index=context.index),
        kinds={concept.name: concept.kind for concept in aligned},
        units={concept.name: concept.unit for concept in aligned},
        features={concept.name: concept.feature for concept in aligned if concept.feature},
    )


def discover_data_graph(
    table: ConceptTable,
    settings: GraphSearchParameters,
    seed: int,
    workers: int,
    knowledge: Knowledge = _NOTHING,
) -> CausalGraph:
    """Search the graph among measured features as the one among concepts is searched.

    Rows that lack a value take no part, nor do features of which no value is known. The resamples
    are drawn from a stream of their own.

    Args:
        table: table of ``measured_concepts``.
        settings: those of the search among concepts.
        seed: seed of the run.
        workers: joblib workers; the result does not depend on it.
        knowledge: that of the search among concepts; what it says of others is left aside.

    Returns:
        A graph with all features as nodes, a categorical one as one. Where fewer rows are complete
        than the search needs it has no edges, and ``search.exclusions`` says so of each feature.
    """
    searched, exclusions = _searchable(table)
    graph = discover_concept_graph(
        searched,
        settings,
        int(seed_sequence(seed, STREAM).generate_state(1)[0]),
        workers,
        _restricted(knowledge, set(searched.nodes())),
    )
    return _with_excluded(graph, table, exclusions)


def _searchable(table: ConceptTable) -> tuple[ConceptTable, dict[str, str]]:
    """Return what of a table can be searched, and the reason by name of each other feature."""
    features = table.nodes()
    unknown = [
        name for name, columns in features.items() if table.concepts[columns[0]].isna().all()
    ]
    for name in unknown:
        _LOGGER.warning("Data graph: no value of %r is known; it has no edges.", name)
    known = table.concepts.drop(columns=[c for name in unknown for c in features[name]])
    complete = known[known.notna().all(axis=1)] if len(known.columns) else known
    if len(complete) < len(known):
        _LOGGER.warning(
            "Data graph: %d of %d images lack a value and take no part.",
            len(known) - len(complete),
            len(known),
        )
    exclusions = dict.fromkeys(unknown, "no value is known")
    needed = fewest_rows(len(known.columns))
    if len(complete) < needed:
        reason = f"{len(complete)} images have all values, wanted at least {needed}"
        _LOGGER.warning("Data graph: it has no edges: %s.", reason)
        exclusions |= dict.fromkeys((name for name in features if name not in unknown), reason)
        complete = known.iloc[:, :0]
    searched = replace(table, concepts=complete, margins=table.margins.loc[complete.index])
    return searched, exclusions


def _restricted(knowledge: Knowledge, names: set[str]) -> Knowledge:
    """Return what is known of some names alone."""
    tiers = (tuple(name for name in tier if name in names) for tier in knowledge.tiers)
    return Knowledge(
        required=tuple(pair for pair in knowledge.required if names.issuperset(pair)),
        forbidden=tuple(pair for pair in knowledge.forbidden if names.issuperset(pair)),
        tiers=tuple(tier for tier in tiers if tier),
    )


def _with_excluded(
    graph: CausalGraph, table: ConceptTable, exclusions: Mapping[str, str]
) -> CausalGraph:
    """Return the graph with a node for each feature that took no part, in the table's order."""
    found = {node.name: node for node in graph.nodes}
    nodes = tuple(
        found.get(name) or Node(name, "aligned", name, table.units[columns[0]], table.levels(name))
        for name, columns in table.nodes().items()
    )
    search = replace(graph.search, exclusions={**graph.search.exclusions, **exclusions})
    return replace(graph, nodes=nodes, search=search)


def _numbers(column: pd.Series, concept: Concept) -> pd.Series:
    """Return a feature as the numbers of one concept, NaN where it is missing."""
    if concept.measure == "continuous":
        return column.astype(np.float64)
    level = concept.levels[-1]
    return (as_levels(column) == level).astype(np.float64).where(column.notna(), np.nan)

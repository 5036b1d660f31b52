"""The graph among concepts: a search over bootstrap resamples, summed up by majority."""

import logging
from dataclasses import replace

from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.knowledge import check_names, facts_of, sentences, words
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.graph.search.algorithms import TITLES
from glance_pipeline.graph.search.asymmetry import suggest_directions
from glance_pipeline.graph.search.bootstrap import search_resamples
from glance_pipeline.graph.search.columns import SearchColumns, search_columns
from glance_pipeline.graph.search.correlations import Sample, associate, correlate
from glance_pipeline.graph.search.majority import summarise
from glance_pipeline.graph.search.reexamination import FEWEST_ROWS, TESTS, reexamine
from glance_pipeline.twin.concept_table import ConceptTable

_LOGGER = logging.getLogger(__name__)

_NOTHING = Knowledge()


def discover_concept_graph(
    table: ConceptTable,
    settings: GraphSearchParameters,
    seed: int,
    workers: int,
    knowledge: Knowledge = _NOTHING,
) -> CausalGraph:
    """Search the causal graph among concepts.

    ``settings.method`` is run on bootstrap resamples. An edge of the graph is one that at least
    ``settings.threshold`` of them hold, and that a nonparametric test confirms; a mark is what more
    than half of the resamples with the edge say, and a circle where no mark is that frequent.
    Background knowledge takes part in each resample, where the separating sets are known that
    the orientation rules rest on; a majority of marks has none. Predictions take no part: they are
    functions of the concepts, which breaks faithfulness (docs: Method); see ``interventions``.

    Args:
        table: concepts of all images.
        settings: method, resamples, level, threshold, depth.
        seed: seed of the run.
        workers: joblib workers; the result does not depend on it.
        knowledge: what the user knows of causes beforehand.

    Returns:
        A graph with all concepts as nodes, a categorical feature as one; those that the search
        could not use (constant, duplicated, determined by others) are named in
        ``search.exclusions`` and have no edges.

    Raises:
        ValueError: if values are missing or infinite, rows are too few, or knowledge names what
            is no concept.
    """
    check_names(knowledge, list(table.nodes()))
    columns = search_columns(table)
    for name, reason in columns.exclusions.items():
        _LOGGER.warning("Concept %r is left out of the causal search: %s.", name, reason)
    for pair in knowledge.required:
        if columns.exclusions.keys() & set(pair):
            _LOGGER.warning(
                "discover.knowledge.required: [%s, %s] makes no edge: one of them is left out.",
                *pair,
            )
    settings = _examinable(settings, len(columns.scores))
    nodes = _nodes(table)
    record = _record(columns, settings, seed, knowledge)
    if len(columns.names) < 2:
        _LOGGER.warning("Fewer than two concepts can be searched: the graph has no edges.")
        return CausalGraph(nodes, (), (), record)
    edges, rejected = _search(columns, settings, knowledge, seed, workers)
    return CausalGraph(nodes, tuple(edges), tuple(rejected), record)


def _search(
    columns: SearchColumns,
    settings: GraphSearchParameters,
    knowledge: Knowledge,
    seed: int,
    workers: int,
) -> tuple[list[Edge], list[Edge]]:
    """Return the edges of the graph, and the pairs that make none."""
    facts = facts_of(knowledge, columns.names)
    resamples = search_resamples(
        columns.scores, columns.blocks, settings, facts, seed=seed, workers=workers
    )
    everything = Sample(correlate(columns.scores), columns.blocks, len(columns.scores))
    required = {frozenset(pair) for pair in knowledge.required}
    held: list[Edge] = []
    rejected: list[Edge] = []
    for edge in summarise(columns.names, associate(everything), resamples):
        needed = frozenset((edge.source, edge.target)) in required
        by_data = (edge.frequency or 0.0) >= settings.threshold
        text = words(facts, columns.names, edge.source, edge.target)
        if needed and not by_data:
            text += " (the data alone do not hold this edge)"
        (held if needed or by_data else rejected).append(replace(edge, knowledge=text))
    if settings.reexamination:
        held = reexamine(held, columns, settings, required, seed=seed, workers=workers)
    kept = [edge for edge in held if edge.reexamination is None or edge.reexamination.kept]
    rejected = [edge for edge in held if edge not in kept] + rejected
    if settings.asymmetry:
        kept = suggest_directions(kept, columns, settings.asymmetry, seed)
    return kept, rejected


def _examinable(settings: GraphSearchParameters, rows: int) -> GraphSearchParameters:
    """Return the settings without a re-examination where there are too few rows for one."""
    if settings.reexamination is None or rows >= FEWEST_ROWS:
        return settings
    _LOGGER.warning(
        "Edges are not re-examined: that takes at least %d rows, there are %d.", FEWEST_ROWS, rows
    )
    return settings.model_copy(update={"reexamination": None})


def _nodes(table: ConceptTable) -> tuple[Node, ...]:
    return tuple(
        Node(
            name,
            table.kinds[columns[0]],  # type: ignore[arg-type]
            name,
            table.units[columns[0]],
            table.levels(name),
        )
        for name, columns in table.nodes().items()
    )


def _record(
    columns: SearchColumns, settings: GraphSearchParameters, seed: int, knowledge: Knowledge
) -> SearchRecord:
    rows = len(columns.scores)
    if settings.method in ("fci", "pc"):
        test = "Fisher-Z on normal scores"
        if any(len(block) > 1 for block in columns.blocks):
            test += "; degenerate Gaussian likelihood ratio for categorical features"
    else:
        test = f"Bayesian information criterion on normal scores, penalty {settings.penalty:g}"
    return SearchRecord(
        method=TITLES[settings.method],
        test=test,
        alpha=settings.alpha,
        threshold=settings.threshold,
        depth=settings.depth,
        resamples=settings.resamples,
        rows=rows,
        rows_per_resample=min(settings.rows_per_resample or rows, rows),
        seed=seed,
        exclusions=columns.exclusions,
        reexamination_test=TESTS[settings.reexamination] if settings.reexamination else "",
        knowledge=sentences(knowledge),
    )

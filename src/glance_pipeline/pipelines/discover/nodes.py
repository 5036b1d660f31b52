"""Nodes of the discover pipeline."""

import logging
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.discover import DiscoverParameters, InterventionParameters
from glance_pipeline.context.determination import told_by_others
from glance_pipeline.evaluation.fidelity import compare_decisions
from glance_pipeline.graph.drawing.comparison_figure import draw_comparison
from glance_pipeline.graph.drawing.figure import draw_graph
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.interactions import add_interactions
from glance_pipeline.graph.effects.outcome_choice import choose_outcomes, numbers_of
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.effects.unnamed import find_unnamed
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.edge_table import edge_table
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.graph.search.data_graph import discover_data_graph, measured_concepts
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.support.compute import available_cores
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import TwinSurrogate

logger = logging.getLogger(__name__)

BACKGROUND = 5000
"""Images whose codes say what goes along with a concept, at most."""


def infer_concepts_of_all_images(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    records: pd.DataFrame,
    parameters: DiscoverParameters,
) -> ConceptTable:
    """Return the active concepts of every image, and the teacher's margins of the outcomes."""
    outcomes = choose_outcomes(parameters.outcomes, classifier, images, _held_out(records))
    return infer_concepts(surrogate, classifier, images, outcomes)


def discover_causal_graph_among_concepts(
    concepts: ConceptTable, parameters: DiscoverParameters, seed: int, workers: int | None
) -> CausalGraph:
    """Return the graph among concepts, by a search over bootstrap resamples."""
    return discover_concept_graph(
        concepts, parameters.search, seed, workers or available_cores(), parameters.knowledge
    )


def judge_the_twin(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    records: pd.DataFrame,
    parameters: DiscoverParameters,
    seed: int,
) -> Gate:
    """Compare the answers of twin and classifier on held-out images.

    Raises:
        ValueError: if fewer than two images are held out for the test split.
    """
    chosen = np.asarray(images[_enough_held_out(records)])
    task = surrogate.task_of(classifier)
    compared = compare_decisions(
        surrogate, classifier, chosen, numpy_generator(seed, "discover", "gate")
    )
    skill = {name: task.skill(*pair) for name, pair in compared.items()}
    gate = Gate(skill, parameters.gate.smallest_skill, len(chosen))
    if not gate.passed:
        logger.warning("%s", gate)
    return gate


def test_concepts_by_intervention(
    *,
    graph: CausalGraph,
    gate: Gate,
    concepts: ConceptTable,
    surrogate: TwinSurrogate,
    classifier: Classifier,
    images: np.ndarray,
    records: pd.DataFrame,
    context_features: pd.DataFrame,
    parameters: DiscoverParameters,
    seed: int,
) -> CausalGraph:
    """Return the graph with predictions, tested by interventions on held-out images.

    Of a surrogate that is no twin, nothing is asserted.

    Raises:
        ValueError: if fewer than two images are held out for the test split.
    """
    settings = parameters.intervention
    held_out = _enough_held_out(records)
    generator = numpy_generator(seed, "interventions", "images")
    chosen = np.sort(generator.permutation(held_out)[: settings.images])
    outcomes = numbers_of([str(name) for name in concepts.margins], classifier.task)
    experiment = Experiment.on(images[chosen], surrogate, classifier, outcomes)
    names = [str(name) for name in concepts.concepts]
    others = numpy_generator(seed, "interventions", "background").permutation(len(images))
    others = np.sort(others[:BACKGROUND])
    observed = concepts.with_measured(context_features)
    background = np.asarray(images[others])
    unnamed = None
    if "unnamed_held" in settings.choices:
        unnamed = find_unnamed(background, observed.rows(others))
    graph = _with_determination(graph, observed, settings, seed)
    measurements = measure_effects(
        experiment,
        names,
        settings,
        seed,
        features=concepts.features,
        background=surrogate.encode_array(background),
        unnamed=unnamed,
    )
    graph = add_predictions(graph, concepts, measurements, settings, observed)
    graph = add_interactions(graph, concepts, experiment, settings, seed, observed)
    return graph.behind(gate)


def _with_determination(
    graph: CausalGraph, concepts: ConceptTable, settings: InterventionParameters, seed: int
) -> CausalGraph:
    """Return the graph with what is known of concepts that cannot be moved by themselves."""
    aligned = [name for name in concepts.concepts if concepts.kinds[str(name)] == "aligned"]
    if settings.largest_determination is None:
        return graph
    rng = numpy_generator(seed, "interventions", "determination")
    told = told_by_others(concepts.concepts[aligned], settings.largest_determination, rng)
    for name, determination in told.items():
        logger.warning("%s cannot be moved by itself: it is %s", name, determination)
    return replace(
        graph,
        nodes=tuple(
            replace(node, determination=str(told[node.name])) if node.name in told else node
            for node in graph.nodes
        ),
    )


def _held_out(records: pd.DataFrame) -> np.ndarray:
    """Return the rows of the test split."""
    return np.flatnonzero(records["split"].to_numpy() == "test")


def _enough_held_out(records: pd.DataFrame) -> np.ndarray:
    """Return the rows of the test split, or raise if there are fewer than two."""
    rows = _held_out(records)
    if len(rows) < 2:
        raise ValueError(
            f"image_records: {len(rows)} images have the split 'test'; interventions are tested "
            "on 2 or more"
        )
    return rows


def fit_structural_models(
    concepts: ConceptTable, graph: CausalGraph, parameters: DiscoverParameters, seed: int
) -> StructuralModels:
    """Return structural causal models of the concepts on the graphs that the marks allow."""
    return StructuralModels.fit(concepts, graph, parameters.structural_model, seed)


def draw_causal_graph(graph: CausalGraph, parameters: DiscoverParameters) -> Figure:
    """Return the figure of the graph."""
    return draw_graph(graph, parameters.figure)


def export_causal_graph(graph: CausalGraph) -> nx.DiGraph:
    """Return the graph as networkx has it, for GraphML."""
    return graph.to_networkx()


def list_edges_by_strength(graph: CausalGraph) -> pd.DataFrame:
    """Return the table of edges with their evidence in words."""
    return edge_table(graph)


def discover_causal_graph_of_the_data(
    context_features: pd.DataFrame,
    surrogate: TwinSurrogate,
    parameters: DiscoverParameters,
    seed: int,
    workers: int | None,
) -> CausalGraph:
    """Return the graph among the measured context features, searched as that among concepts."""
    table = measured_concepts(context_features, surrogate.concepts)
    return discover_data_graph(
        table, parameters.search, seed, workers or available_cores(), parameters.knowledge
    )


def draw_perceived_graph_beside_the_data(perceived: CausalGraph, data: CausalGraph) -> Figure:
    """Return the figure of both graphs with their differences coloured."""
    return draw_comparison(perceived, data)

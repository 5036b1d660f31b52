"""Nodes of the evaluate pipeline."""

import logging
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.digits.measured_table import measure_of
from glance_pipeline.evaluation.aligned_concepts import alignment_accuracy, alignment_r2
from glance_pipeline.evaluation.axioms import composition_l1, reversibility_l1
from glance_pipeline.evaluation.disentanglement import disentanglement
from glance_pipeline.evaluation.fidelity import fidelity, reconstruction_l1
from glance_pipeline.evaluation.frechet import frechet_of_recombined_images
from glance_pipeline.evaluation.intervention_matrix import (
    Measure,
    aligned_names,
    effectiveness,
    intervention_matrix,
)
from glance_pipeline.evaluation.judge import as_aligned, measure_by, quality_of
from glance_pipeline.evaluation.told_by_held import MOST_IMAGES, told_by_held
from glance_pipeline.evaluation.true_counterfactual import (
    rendered_digits,
    true_counterfactual_errors,
)
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.distance import structural_hamming_distance
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.figures import say_as_it_is
from glance_pipeline.support.names import shortened
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.sizes import check_widths
from glance_pipeline.twin.training.reader_training import train_reader

logger = logging.getLogger(__name__)


def measure_fidelity_on_held_out_images(
    *,
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    classifier: Classifier,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    seed: int,
) -> dict[str, Any]:
    """Ask the teacher about reconstructions, swaps and interventions."""
    rows = np.flatnonzero(image_records["split"] == parameters.split)
    chosen = np.asarray(images[rows])
    rng = numpy_generator(seed, "evaluate", "fidelity")
    codes, context = surrogate.encode_array(chosen), context_features.iloc[rows]
    alignment = {"r2": alignment_r2(surrogate, codes, context)}
    accuracy = alignment_accuracy(surrogate, codes, context)
    if accuracy:
        alignment["balanced_accuracy"] = accuracy
    return {
        "fidelity": fidelity(surrogate, classifier, chosen, rng),
        "reconstruction": {"l1": reconstruction_l1(surrogate, chosen)},
        "alignment": alignment,
    }


def measure_interventions(
    *,
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    align: AlignParameters,
    workers: int | None,
    seed: int,
) -> dict[str, Any]:
    """Measure on the generated image what each intervention did; empty without context features.

    By morphometry where the table holds what it measures, otherwise by a reader that is trained for
    this alone, on the real images of the training split.
    """
    features = aligned_names(surrogate)
    if not features:
        logger.warning("interventions are not measured: no concept is aligned with a feature")
        return {}
    rows = np.flatnonzero(image_records["split"] == parameters.split)
    codes = surrogate.encode_array(np.asarray(images[rows]))
    judged: dict[str, Any] = {}
    measure: Measure | None = measure_of(images, context_features, features, workers)
    if measure is None:
        judge = train_judge(images, image_records, context_features, surrogate, align, seed)
        measure = measure_by(judge, surrogate)
        held_out = np.asarray(images[rows])
        judged["judge"] = quality_of(judge, surrogate, held_out, context_features.iloc[rows])
    matrix = intervention_matrix(surrogate, codes, measure, parameters.delta)
    rng = numpy_generator(seed, "evaluate", "effectiveness")
    return {
        **judged,
        "intervention_matrix": matrix.to_dict(orient="index"),
        "effectiveness": effectiveness(surrogate, codes, measure, rng),
    }


def train_judge(
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    surrogate: TwinSurrogate,
    parameters: AlignParameters,
    seed: int,
) -> AttributeReader:
    """Train a reader like that of ``align`` from other weights and on other batches.

    Raises:
        UserError: if the size of the images is not that of its widths, or a feature is missing.
    """
    try:
        check_widths(images.shape[2], parameters.reader.widths)
    except ValueError as error:
        raise UserError(f"align.reader: {error}") from error
    standardised = standardise_context(
        context_features, image_records, parameters.units, parameters.kinds
    )
    context, concepts = as_aligned(*standardised, surrogate)
    rows = np.flatnonzero(image_records["split"] == "train")
    chosen = np.asarray(images[rows])
    return train_reader(chosen, context[rows], concepts, parameters.reader, seed, "judge")


def measure_disentanglement_of_codes(
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    seed: int,
) -> dict[str, Any]:
    """Compare the inferred concepts with the measured features, and with what is held."""
    rows = np.flatnonzero(image_records["split"] == parameters.split)
    codes = surrogate.encode_array(np.asarray(images[rows]))
    rng = numpy_generator(seed, "evaluate", "disentanglement")
    found = disentanglement(surrogate, codes, context_features.iloc[rows], rng)
    rng = numpy_generator(seed, "evaluate", "held")
    training = rng.permutation(np.flatnonzero(image_records["split"] == "train"))[:MOST_IMAGES]
    learned = surrogate.encode_array(np.asarray(images[training]))
    told = told_by_held(surrogate, learned, codes, rng)
    if told:
        found = {**found, "told_by_held": told}
    return {"disentanglement": found} if found else {}


def measure_axioms_of_counterfactuals(
    images: np.ndarray,
    image_records: pd.DataFrame,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    seed: int,
) -> dict[str, Any]:
    """Do nothing many times over, and do something with aligned concepts and take it back."""
    chosen = np.asarray(images[image_records["split"] == parameters.split])
    rng = numpy_generator(seed, "evaluate", "reversibility")
    axioms = {"composition_l1": composition_l1(surrogate, chosen)}
    if aligned_names(surrogate):
        axioms["reversibility_l1"] = reversibility_l1(surrogate, chosen, rng)
    return {"axioms": axioms}


def measure_distance_of_generated_images(
    images: np.ndarray,
    image_records: pd.DataFrame,
    classifier: Classifier,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    seed: int,
) -> dict[str, Any]:
    """Compare what the teacher makes of real images and of images under intervention."""
    chosen = np.asarray(images[image_records["split"] == parameters.split])
    rng = numpy_generator(seed, "evaluate", "frechet")
    return {"frechet": frechet_of_recombined_images(surrogate, classifier, chosen, rng)}


def compare_with_true_counterfactuals(
    *,
    images: np.ndarray,
    image_records: pd.DataFrame,
    context_features: pd.DataFrame,
    source_digits: np.ndarray | None,
    surrogate: TwinSurrogate,
    parameters: EvaluateParameters,
    workers: int | None,
    seed: int,
) -> dict[str, Any]:
    """Compare images under intervention with the renderer's; empty if it drew no images."""
    if source_digits is None:
        logger.warning("true counterfactuals are not measured: there are no source digits")
        return {}
    rows = np.flatnonzero(image_records["split"] == parameters.split)
    try:
        digits = rendered_digits(images, source_digits, image_records, rows)
    except ValueError as reason:
        logger.warning("true counterfactuals are not measured: %s", reason)
        return {}
    rng = numpy_generator(seed, "evaluate", "true counterfactual")
    context = context_features.iloc[rows]
    errors = true_counterfactual_errors(surrogate, digits, context, rng, workers)
    return {"true_counterfactual": errors}


def compare_graph_with_known_one(
    causal_graph: CausalGraph, known_graph: dict[str, Any] | None
) -> dict[str, Any]:
    """Count the pairs of concepts on which discovered and known graph differ, if one is known."""
    if known_graph is None:
        logger.warning("graph distance: no graph is known")
        return {}
    concepts = {node.name for node in causal_graph.nodes}
    if not concepts & set(known_graph["nodes"]):
        logger.warning("graph distance: no concept is one of %s", known_graph["nodes"])
        return {}
    distance = structural_hamming_distance(causal_graph, known_graph)
    return {"graph": {"shd": distance.total}}


def report_on_the_graph(causal_graph: CausalGraph) -> dict[str, Any]:
    """Return the gate of the graph, and how far interventions moved what no feature names.

    Of each concept that moved an unnamed property beyond tolerance it is the largest movement, in
    standard deviations of both.
    """
    moved: dict[str, float] = {}
    for edge in (*causal_graph.edges, *causal_graph.rejected):
        for one in edge.moved:
            moved[edge.source] = max(moved.get(edge.source, 0.0), abs(one.by))
    found: dict[str, Any] = {}
    if causal_graph.intervention is not None:
        found["interventions"] = {"unnamed_moved": moved}
    gate = causal_graph.gate
    if gate is not None:
        found["gate"] = {
            "passed": gate.passed,
            "reasons": list(gate.reasons),
            "skill": gate.skill,
        }
    return found


def gather_metrics(
    *,
    verdict_metrics: dict[str, Any],
    fidelity_metrics: dict[str, Any],
    intervention_metrics: dict[str, Any],
    graph_metrics: dict[str, Any],
    disentanglement_metrics: dict[str, Any],
    axiom_metrics: dict[str, Any],
    true_counterfactual_metrics: dict[str, Any],
    frechet_metrics: dict[str, Any],
    distill_cost: dict[str, float],
    disentangle_cost: dict[str, float],
    align_cost: dict[str, float],
) -> dict[str, Any]:
    """Put all measurements and the cost of each stage into one nested mapping."""
    cost = {"distill": distill_cost, "disentangle": disentangle_cost, "align": align_cost}
    metrics = {
        **fidelity_metrics,
        **verdict_metrics,
        **intervention_metrics,
        **graph_metrics,
        **disentanglement_metrics,
        **axiom_metrics,
        **true_counterfactual_metrics,
        **frechet_metrics,
        "cost": cost,
    }
    for name, value in fidelity_metrics["fidelity"].items():
        logger.info("%s: %.3f", name.replace("_", " "), value)
    return metrics


def draw_intervention_matrix(metrics: dict[str, Any]) -> Figure:
    """Draw what each concept does to each measured feature as a heat map with its numbers."""
    matrix = pd.DataFrame.from_dict(metrics.get("intervention_matrix", {}), orient="index")
    matrix = matrix.astype(float)  # what could not be measured is null in JSON
    below, beside = (
        [shortened(str(name), 24) for name in names] for names in (matrix, matrix.index)
    )
    longest = max(map(len, below), default=0), max(map(len, beside), default=0)
    tilted = longest[0] > 12  # characters, beside which the next name has no room
    width = 1.6 + 1.1 * max(matrix.shape[1], 2) + 0.09 * max(longest[1] - 12, 0)
    height = 1.2 + 0.4 * max(len(matrix), 2) + (0.06 * longest[0] if tilted else 0.0)
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    if matrix.empty:
        axes.text(0.5, 0.5, "no independent measurement", ha="center", va="center")
        axes.axis("off")
        plt.close(figure)
        return figure
    shown = axes.imshow(matrix, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(matrix.shape[1]), below)
    if tilted:
        plt.setp(axes.get_xticklabels(), rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(matrix)), [f"do({name})" for name in beside])
    for (row, column), value in np.ndenumerate(matrix.to_numpy()):
        colour = "white" if abs(value) > 0.6 else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    axes.set_title("effect on the measured feature, sd per sd", fontsize="medium")
    figure.colorbar(shown, ax=axes)
    plt.close(figure)
    return say_as_it_is(figure)

"""Nodes of the ``explain`` pipeline."""

import numpy as np
import pandas as pd

from glance_pipeline.causal import CausalGraph
from glance_pipeline.classifier import Classifier
from glance_pipeline.concepts import ConceptTable
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations import Explanation, LocalExplanations, background_codes
from glance_pipeline.explanations.selection import ChosenImages, choose_images, first_of_split
from glance_pipeline.networks import TwinSurrogate
from glance_pipeline.report import render_report


def select_images_to_explain(
    images: np.ndarray, records: pd.DataFrame, parameters: ExplainParameters
) -> ChosenImages:
    """Collect the images that ``explain.images`` names; by default the first of the test split."""
    chosen = parameters.images or first_of_split(records, parameters.count)
    return choose_images(chosen, images, records)


def explain_chosen_images(
    chosen: ChosenImages,
    surrogate: TwinSurrogate,
    classifier: Classifier,
    concepts: ConceptTable,
    records: pd.DataFrame,
    parameters: ExplainParameters,
    seed: int,
) -> list[Explanation]:
    """Explain the chosen images by counterfactuals, importances and effect strips."""
    training = records["split"].to_numpy()[concepts.concepts.index.to_numpy()] == "train"
    rows = np.flatnonzero(training).tolist()
    background = background_codes(
        surrogate, concepts, rows, parameters.importance.backgrounds, seed
    )
    guided = classifier.guided_by(surrogate.respond)  # a black box has no gradients of its own
    methods = LocalExplanations(surrogate, guided, background, parameters, seed)
    return methods.explain(chosen.images, chosen.sources)


def write_report(
    explanations: list[Explanation], graph: CausalGraph, surrogate: TwinSurrogate
) -> str:
    """Return the report, one HTML page that opens offline."""
    return render_report(explanations, graph, surrogate.concepts)

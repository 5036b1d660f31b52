"""Measure the surrogate and the graph on held-out images."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.evaluate.nodes import (
    compare_graph_with_known_one,
    draw_intervention_matrix,
    gather_metrics,
    measure_fidelity_on_held_out_images,
    measure_interventions_by_morphometry,
)


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the evaluate pipeline."""
    costs = ["distill_cost", "disentangle_cost", "align_cost"]
    return Pipeline(
        [
            Node(
                measure_fidelity_on_held_out_images,
                [
                    "images",
                    "image_records",
                    "context_features",
                    "classifier",
                    "surrogate_aligned",
                    "params:evaluate",
                    "params:seed",
                ],
                "fidelity_metrics",
                name="measure_fidelity_on_held_out_images",
            ),
            Node(
                measure_interventions_by_morphometry,
                [
                    "images",
                    "image_records",
                    "surrogate_aligned",
                    "params:evaluate",
                    "params:compute.workers",
                    "params:seed",
                ],
                "intervention_metrics",
                name="measure_interventions_by_morphometry",
            ),
            Node(
                compare_graph_with_known_one,
                ["causal_graph", "known_graph"],
                "graph_metrics",
                name="compare_graph_with_known_one",
            ),
            Node(
                gather_metrics,
                ["fidelity_metrics", "intervention_metrics", "graph_metrics", *costs],
                "metrics",
                name="gather_metrics",
            ),
            Node(
                draw_intervention_matrix,
                "metrics",
                "intervention_matrix_figure",
                name="draw_intervention_matrix",
            ),
        ],
        tags="evaluate",
    )

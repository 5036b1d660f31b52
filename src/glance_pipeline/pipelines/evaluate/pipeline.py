"""Measure the surrogate and the graph on held-out images."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.evaluate import nodes

HELD_OUT = ["images", "image_records"]
SURROGATE = ["surrogate_aligned", "params:evaluate"]
SEED = "params:seed"
MEASURED = {
    "images": "images",
    "image_records": "image_records",
    "context_features": "context_features",
    "surrogate": "surrogate_aligned",
    "parameters": "params:evaluate",
    "seed": "params:seed",
}
"""Inputs of the nodes that compare the surrogate with what was measured, by argument."""

GATHERED = (
    "fidelity_metrics",
    "verdict_metrics",
    "intervention_metrics",
    "graph_metrics",
    "disentanglement_metrics",
    "axiom_metrics",
    "true_counterfactual_metrics",
    "frechet_metrics",
    "distill_cost",
    "disentangle_cost",
    "align_cost",
)
WORKERS = {"workers": "params:compute.workers"}


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the evaluate pipeline."""
    graph = Node(
        nodes.compare_graph_with_known_one,
        ["causal_graph", "known_graph"],
        "graph_metrics",
        name="compare_graph_with_known_one",
    )
    verdicts = Node(
        nodes.report_on_the_graph,
        "causal_graph",
        "verdict_metrics",
        name="report_on_the_graph",
    )
    gather = Node(
        nodes.gather_metrics,
        {name: name for name in GATHERED},
        "metrics",
        name="gather_metrics",
    )
    draw = Node(
        nodes.draw_intervention_matrix,
        "metrics",
        "intervention_matrix_figure",
        name="draw_intervention_matrix",
    )
    return Pipeline([*_surrogate_nodes(), graph, verdicts, gather, draw], tags="evaluate")


def _surrogate_nodes() -> list[Node]:
    """Return the nodes that measure the surrogate on held-out images."""
    return [
        Node(
            nodes.measure_fidelity_on_held_out_images,
            {**MEASURED, "classifier": "classifier"},
            "fidelity_metrics",
            name="measure_fidelity_on_held_out_images",
        ),
        Node(
            nodes.measure_interventions,
            {**MEASURED, **WORKERS, "align": "params:align"},
            "intervention_metrics",
            name="measure_interventions",
        ),
        Node(
            nodes.measure_disentanglement_of_codes,
            [*HELD_OUT, "context_features", *SURROGATE, SEED],
            "disentanglement_metrics",
            name="measure_disentanglement_of_codes",
        ),
        Node(
            nodes.measure_axioms_of_counterfactuals,
            [*HELD_OUT, *SURROGATE, SEED],
            "axiom_metrics",
            name="measure_axioms_of_counterfactuals",
        ),
        Node(
            nodes.compare_with_true_counterfactuals,
            {**MEASURED, **WORKERS, "source_digits": "source_digits"},
            "true_counterfactual_metrics",
            name="compare_with_true_counterfactuals",
        ),
        Node(
            nodes.measure_distance_of_generated_images,
            [*HELD_OUT, "classifier", *SURROGATE, SEED],
            "frechet_metrics",
            name="measure_distance_of_generated_images",
        ),
    ]

"""The discover pipeline."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.discover import nodes

PARAMETERS, SEED, WORKERS = "params:discover", "params:seed", "params:compute.workers"


def create_pipeline() -> Pipeline:
    """Return the pipeline from the aligned surrogate to the causal graph and the data's own."""
    return Pipeline(
        [*_graph(), *_views_of_the_graph(), *_comparison_with_the_data()], tags="discover"
    )


def _graph() -> list[Node]:
    return [
        Node(
            nodes.infer_concepts_of_all_images,
            inputs=["surrogate_aligned", "classifier", "images", "image_records", PARAMETERS],
            outputs="concepts",
            name="infer_concepts_of_all_images",
        ),
        Node(
            nodes.discover_causal_graph_among_concepts,
            inputs=["concepts", PARAMETERS, SEED, WORKERS],
            outputs="concept_graph",
            name="discover_causal_graph_among_concepts",
        ),
        Node(
            nodes.judge_the_twin,
            inputs=[
                "surrogate_aligned",
                "classifier",
                "images",
                "image_records",
                PARAMETERS,
                SEED,
            ],
            outputs="twin_gate",
            name="judge_the_twin",
        ),
        Node(
            nodes.test_concepts_by_intervention,
            inputs={
                "graph": "concept_graph",
                "gate": "twin_gate",
                "concepts": "concepts",
                "surrogate": "surrogate_aligned",
                "classifier": "classifier",
                "images": "images",
                "records": "image_records",
                "context_features": "context_features",
                "parameters": PARAMETERS,
                "seed": SEED,
            },
            outputs="causal_graph",
            name="test_concepts_by_intervention",
        ),
        Node(
            nodes.fit_structural_models,
            inputs=["concepts", "causal_graph", PARAMETERS, SEED],
            outputs="structural_models",
            name="fit_structural_models",
        ),
    ]


def _views_of_the_graph() -> list[Node]:
    return [
        Node(
            nodes.draw_causal_graph,
            inputs=["causal_graph", PARAMETERS],
            outputs="causal_graph_figure",
            name="draw_causal_graph",
        ),
        Node(
            nodes.export_causal_graph,
            inputs="causal_graph",
            outputs="causal_graph_graphml",
            name="export_causal_graph",
        ),
        Node(
            nodes.list_edges_by_strength,
            inputs="causal_graph",
            outputs="causal_graph_edges",
            name="list_edges_by_strength",
        ),
    ]


def _comparison_with_the_data() -> list[Node]:
    return [
        Node(
            nodes.discover_causal_graph_of_the_data,
            inputs=["context_features", "surrogate_aligned", PARAMETERS, SEED, WORKERS],
            outputs="data_graph",
            name="discover_causal_graph_of_the_data",
        ),
        Node(
            nodes.draw_perceived_graph_beside_the_data,
            inputs=["causal_graph", "data_graph"],
            outputs="graph_comparison_figure",
            name="draw_perceived_graph_beside_the_data",
        ),
    ]

"""The prepare pipeline."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.prepare import nodes

PARAMETERS, SEED, WORKERS = "params:prepare", "params:seed", "params:compute.workers"


def create_pipeline() -> Pipeline:
    """Return the pipeline from real digits to images, context features, records and known graph."""
    return Pipeline(
        [
            Node(
                nodes.read_and_shuffle_source_digits,
                inputs=[PARAMETERS, SEED],
                outputs=["source_digits", "source_records"],
                name="read_and_shuffle_source_digits",
            ),
            Node(
                nodes.draw_intended_features,
                inputs=["source_records", PARAMETERS, SEED],
                outputs="intended_features",
                name="draw_intended_features",
            ),
            Node(
                nodes.render_digits_from_the_structural_model,
                inputs=["source_digits", "intended_features", PARAMETERS, WORKERS],
                outputs="images",
                name="render_digits_from_the_structural_model",
            ),
            Node(
                nodes.measure_context_features,
                inputs=["images", "intended_features", PARAMETERS, WORKERS],
                outputs="context_features",
                name="measure_context_features",
            ),
            Node(
                nodes.split_images,
                inputs=["source_records", "intended_features", PARAMETERS, SEED],
                outputs="image_records",
                name="split_images",
            ),
            Node(
                nodes.describe_the_form_of_a_digit,
                inputs=PARAMETERS,
                outputs="image_form",
                name="describe_the_form_of_a_digit",
            ),
            Node(
                nodes.describe_the_known_graph,
                inputs=PARAMETERS,
                outputs="known_graph",
                name="describe_the_known_graph",
            ),
        ],
        tags="prepare",
    )

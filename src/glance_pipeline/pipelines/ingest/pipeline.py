"""The ingest pipeline."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.ingest import nodes

PARAMETERS, SEED, WORKERS = "params:ingest", "params:seed", "params:compute.workers"


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the pipeline from a user's files to images, context features and records."""
    return Pipeline(
        [
            Node(
                nodes.find_images_and_their_context,
                inputs=[PARAMETERS, "params:align", SEED],
                outputs="found_images",
                name="find_images_and_their_context",
            ),
            Node(
                nodes.resize_images,
                inputs=["found_images", PARAMETERS, WORKERS],
                outputs=["images", "resized_images", "image_form"],
                name="resize_images",
            ),
            Node(
                nodes.record_the_images_that_were_read,
                inputs=["found_images", "resized_images"],
                outputs=["context_features", "image_records", "unreadable_images", "image_twins"],
                name="record_the_images_that_were_read",
            ),
        ],
        tags="ingest",
    )

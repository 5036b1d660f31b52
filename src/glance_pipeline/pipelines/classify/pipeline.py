"""Train the demo teacher, which stands in for the user's model."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.classify.nodes import (
    measure_classifier_accuracy,
    train_demo_classifier,
)


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the classify pipeline."""
    return Pipeline(
        [
            Node(
                train_demo_classifier,
                ["images", "image_records", "params:classify", "params:seed"],
                "classifier",
                name="train_demo_classifier",
            ),
            Node(
                measure_classifier_accuracy,
                ["images", "image_records", "classifier", "context_features"],
                "classifier_accuracy",
                name="measure_classifier_accuracy",
            ),
        ],
        tags="classify",
    )

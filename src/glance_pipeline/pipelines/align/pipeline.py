"""Third training stage: the first concepts become the context features."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.align.nodes import (
    align_concepts_with_context,
    train_attribute_reader,
)


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the align pipeline."""
    return Pipeline(
        [
            Node(
                train_attribute_reader,
                ["images", "image_records", "context_features", "params:align", "params:seed"],
                "attribute_reader",
                name="train_attribute_reader",
            ),
            Node(
                align_concepts_with_context,
                {
                    "images": "images",
                    "image_records": "image_records",
                    "context_features": "context_features",
                    "classifier": "classifier",
                    "attribute_reader": "attribute_reader",
                    "surrogate": "surrogate_disentangled",
                    "critics": "critics_after_disentangle",
                    "checkpoints": "align_checkpoints",
                    "parameters": "params:align",
                    "seed": "params:seed",
                },
                ["surrogate_aligned", "critics_after_align", "align_curves", "align_cost"],
                name="align_concepts_with_context",
            ),
        ],
        tags="align",
    )

"""First training stage: adversarial knowledge distillation into a twin surrogate."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.distill.nodes import distill_classifier_into_surrogate


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the distill pipeline."""
    return Pipeline(
        [
            Node(
                distill_classifier_into_surrogate,
                [
                    "images",
                    "image_records",
                    "classifier",
                    "distill_checkpoints",
                    "params:distill",
                    "params:seed",
                ],
                ["surrogate_distilled", "critics_after_distill", "distill_curves", "distill_cost"],
                name="distill_classifier_into_surrogate",
            ),
        ],
        tags="distill",
    )

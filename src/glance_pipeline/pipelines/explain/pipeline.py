"""The ``explain`` pipeline: from saved artifacts to explanations and a report."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.explain.nodes import (
    explain_chosen_images,
    keep_explanations,
    select_images_to_explain,
    write_report,
)


def create_pipeline(**_: object) -> Pipeline:
    """Return the pipeline."""
    return Pipeline(
        [
            Node(
                select_images_to_explain,
                inputs=["images", "image_form", "image_records", "params:explain"],
                outputs="chosen_images",
                name="select_images_to_explain",
            ),
            Node(
                explain_chosen_images,
                inputs={
                    "chosen": "chosen_images",
                    "surrogate": "surrogate_aligned",
                    "classifier": "classifier",
                    "concepts": "concepts",
                    "records": "image_records",
                    "shards_folder": "explanation_shards",
                    "models": "structural_models",
                    "graph": "causal_graph",
                    "parameters": "params:explain",
                    "seed": "params:seed",
                },
                outputs="explained",
                name="explain_chosen_images",
            ),
            Node(
                keep_explanations,
                inputs="explained",
                outputs="explanations",
                name="keep_explanations",
            ),
            Node(
                write_report,
                inputs=[
                    "explanations",
                    "explained",
                    "causal_graph",
                    "surrogate_aligned",
                    "metrics",
                    "params:explain",
                ],
                outputs="report",
                name="write_report",
            ),
        ]
    )

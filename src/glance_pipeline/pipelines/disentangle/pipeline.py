"""Second training stage: each concept acts by itself."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.disentangle.nodes import disentangle_concept_code


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the disentangle pipeline."""
    return Pipeline(
        [
            Node(
                disentangle_concept_code,
                [
                    "images",
                    "image_records",
                    "classifier",
                    "surrogate_distilled",
                    "critics_after_distill",
                    "disentangle_checkpoints",
                    "params:disentangle",
                    "params:seed",
                ],
                [
                    "surrogate_disentangled",
                    "critics_after_disentangle",
                    "disentangle_curves",
                    "disentangle_cost",
                ],
                name="disentangle_concept_code",
            ),
        ],
        tags="disentangle",
    )

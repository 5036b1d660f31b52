"""Second training stage: each concept acts by itself."""

from kedro.pipeline import Node, Pipeline

from glance_pipeline.pipelines.disentangle.nodes import disentangle_concept_code


def create_pipeline(**_kwargs: object) -> Pipeline:
    """Return the disentangle pipeline."""
    return Pipeline(
        [
            Node(
                disentangle_concept_code,
                {
                    "images": "images",
                    "image_records": "image_records",
                    "classifier": "classifier",
                    "surrogate": "surrogate_distilled",
                    "critics": "critics_after_distill",
                    "checkpoints": "disentangle_checkpoints",
                    "parameters": "params:disentangle",
                    "seed": "params:seed",
                },
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

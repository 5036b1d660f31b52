"""The project's pipelines by name."""

from kedro.pipeline import Pipeline

from glance_pipeline.pipelines import (
    align,
    classify,
    discover,
    disentangle,
    distill,
    evaluate,
    explain,
    ingest,
    prepare,
)

CHAIN = {
    "prepare": prepare,
    "classify": classify,
    "distill": distill,
    "disentangle": disentangle,
    "align": align,
    "discover": discover,
    "explain": explain,
    "evaluate": evaluate,
}


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline, its nodes tagged with its name.

    Beside those of the chain, in their order: ``ingest``, which takes the place of ``prepare`` for
    a user who brings images; ``own_classifier``, the chain for a user who brings a classifier;
    ``own_data``, for one who brings both; and ``__default__``, the whole chain.
    """
    chain = {name: Pipeline([part.create_pipeline()], tags=name) for name, part in CHAIN.items()}
    taken = Pipeline([ingest.create_pipeline()], tags="ingest")
    accuracy = chain["classify"].only_nodes("measure_classifier_accuracy")
    own = [accuracy if name == "classify" else part for name, part in chain.items()]
    return {
        **chain,
        "ingest": taken,
        "own_classifier": sum(own, Pipeline([])),
        "own_data": sum(own[1:], taken),
        "__default__": sum(chain.values(), Pipeline([])),
    }

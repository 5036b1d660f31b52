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

    Beside those of the chain, in their order: ``own_classifier``, the chain for a user who brings
    a classifier, and ``__default__``, the whole chain.
    """
    chain = {name: Pipeline([part.create_pipeline()], tags=name) for name, part in CHAIN.items()}
    own = [part for name, part in chain.items() if name != "classify"]
    return {
        **chain,
        "own_classifier": sum(own, Pipeline([])),
        "__default__": sum(chain.values(), Pipeline([])),
    }

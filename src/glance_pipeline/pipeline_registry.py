"""The project's pipelines by name."""

from importlib import import_module

from kedro.pipeline import Pipeline

CHAIN = (
    "prepare",
    "classify",
    "distill",
    "disentangle",
    "align",
    "discover",
    "explain",
    "evaluate",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline; ``__default__`` is the whole chain in order."""
    chain = {}
    for name in CHAIN:
        try:
            module = import_module(f"glance_pipeline.pipelines.{name}")
            chain[name] = Pipeline([module.create_pipeline()], tags=name)
        except (ImportError, AttributeError) as error:
            print(f"pipeline {name} is not there yet: {error}")
    own = [pipeline for name, pipeline in chain.items() if name != "classify"]
    return {
        **chain,
        "own_classifier": sum(own, Pipeline([])),
        "__default__": sum(chain.values(), Pipeline([])),
    }

"""The project's pipelines by name."""

from kedro.framework.project import find_pipelines
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
    found = find_pipelines(raise_errors=False)
    chain = {name: found[name] for name in CHAIN if name in found}
    own = [pipeline for name, pipeline in chain.items() if name != "classify"]
    return {
        **chain,
        "own_classifier": sum(own, Pipeline([])),
        "__default__": sum(chain.values(), Pipeline([])),
    }

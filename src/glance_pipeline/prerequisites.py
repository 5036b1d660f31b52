"""What a pipeline needs that is not there yet, and which pipeline makes it."""

from collections.abc import Iterable, Mapping

from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline


def explain_missing(
    inputs: Iterable[str], catalog: CatalogProtocol, pipelines: Mapping[str, Pipeline]
) -> str | None:
    """Say which inputs of a pipeline do not exist, and what to run first.

    Args:
        inputs: free inputs of the pipeline about to run; parameters among them are passed over.
        catalog: of the run.
        pipelines: the registered pipelines, in the order they are run in.

    Returns:
        A message of several lines, or None where everything is there.
    """
    lines, makers = [], set()
    for name in sorted(inputs):
        if name == "parameters" or name.startswith("params:") or _exists(name, catalog):
            continue
        maker = _maker(name, pipelines)
        makers.add(maker)
        made = f"made by the pipeline {maker}" if maker else "which no pipeline here makes"
        lines.append(f"  {name} ({_place(name, catalog)}), {made}")
    if not lines:
        return None
    first = [f"kedro run --pipeline {name}" for name in pipelines if name in makers]
    advice = [f"Run first: {' && '.join(first)}"] if first else []
    return "\n".join(["This pipeline needs what is not there yet:", *lines, *advice])


def _exists(name: str, catalog: CatalogProtocol) -> bool:
    try:
        return name in catalog and catalog.exists(name)
    except DatasetError:  # raised for a version that was asked for and is not there
        return False


def _maker(name: str, pipelines: Mapping[str, Pipeline]) -> str | None:
    """Return the smallest registered pipeline with the dataset among its outputs."""
    makers = [key for key, pipeline in pipelines.items() if name in pipeline.all_outputs()]
    return min(makers, key=lambda key: len(pipelines[key].nodes), default=None)


def _place(name: str, catalog: CatalogProtocol) -> str:
    if name not in catalog:
        return "not in the catalog"
    path = getattr(catalog.get(name), "_filepath", None)
    return str(path) if path is not None else "never saved to a file"

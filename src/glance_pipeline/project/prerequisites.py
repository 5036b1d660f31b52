"""What a pipeline needs that is not there yet, and which makes it; parameters that none knows."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.support.did_you_mean import known_instead


def explain_unknown(parameters: Iterable[str], pipelines: Mapping[str, Pipeline]) -> str | None:
    """Say which top-level parameter belongs to no pipeline.

    Below the top level the typed parameters of each pipeline forbid what they do not know.

    Args:
        parameters: their names.
        pipelines: the registered pipelines.

    Returns:
        A message, or None if all are known.
    """
    known = set(SharedParameters.model_fields) | {
        name.removeprefix("params:").partition(".")[0]
        for pipeline in pipelines.values()
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    for name in parameters:
        if name not in known:
            return f"parameter {name!r} is unknown: {known_instead(name, sorted(known))}"
    return None


def explain_missing(
    inputs: Iterable[str],
    catalog: CatalogProtocol[Any, Any],
    pipelines: Mapping[str, Pipeline],
    needing: str = "This pipeline",
) -> str | None:
    """Say which inputs of a pipeline do not exist, and what to run first.

    Args:
        inputs: free inputs of the pipeline about to run; parameters among them are passed over,
            and what may be absent (``OptionalDataset``).
        catalog: catalog of the run.
        pipelines: the registered pipelines, in the order they are run in.
        needing: who needs them.

    Returns:
        A message of several lines, or None if everything is there.
    """
    missing = _missing(inputs, catalog)
    if not missing:
        return None
    lines = [f"{needing} needs what is not there yet:"]
    for name in missing:
        makers = _makers(name, pipelines)
        made = (
            f"made by the pipeline {' or '.join(makers)}"
            if makers
            else "which no pipeline here makes"
        )
        lines.append(f"  {name} ({_place(name, catalog)}), {made}")
    needed = _needed(missing, catalog, pipelines)
    first = [f"kedro run --pipeline {name}" for name in pipelines if name in needed]
    return "\n".join([*lines, f"Run first: {' && '.join(first)}"] if first else lines)


def explain_stale(
    pipeline: Pipeline,
    catalog: CatalogProtocol[Any, Any],
    chain: Pipeline,
    known: Collection[str] = (),
) -> list[str]:
    """Say which free inputs were made before what they are made from was made anew.

    It goes by the times of versions alone, for those of which nothing says what they were made
    from (``lineage.py``).

    Args:
        pipeline: about to run; what it makes itself is passed over.
        catalog: catalog of the run.
        chain: the whole chain, which says what each dataset is made from.
        known: datasets of which more is known, which are passed over.

    Returns:
        A sentence for each such pair. Versions are Kedro's, which sort by time.
    """
    own = pipeline.all_outputs()
    pairs = [
        (name, source, min(node.tags, default=node.short_name))
        for node in chain.nodes
        for name in sorted(pipeline.inputs() & set(node.outputs) - set(known))
        for source in sorted(set(node.inputs) - own)
    ]
    sentences = []
    for name, source, maker in pairs:
        made, newer = version_to_load(name, catalog), version_to_load(source, catalog)
        if made and newer and made < newer:
            sentences.append(
                f"{name} of {made} was made before {source} of {newer}: they may not belong "
                f"together; run {maker} again"
            )
    return sentences


def version_to_load(name: str, catalog: CatalogProtocol[Any, Any]) -> str | None:
    """Return the version of a dataset that the run loads, None if it has none."""
    dataset = catalog.get(name) if name in catalog else None
    resolve = getattr(dataset, "resolve_load_version", None)
    try:
        return resolve() if resolve is not None else None
    except DatasetError:
        return None


def _missing(inputs: Iterable[str], catalog: CatalogProtocol[Any, Any]) -> list[str]:
    return [
        name
        for name in sorted(inputs)
        if name != "parameters" and not name.startswith("params:") and not _ready(name, catalog)
    ]


def _needed(
    missing: list[str], catalog: CatalogProtocol[Any, Any], pipelines: Mapping[str, Pipeline]
) -> set[str]:
    """Return the pipelines that make what is missing, and what those are missing in turn."""
    needed: set[str] = set()
    while missing:
        for maker in _makers(missing.pop(), pipelines)[:1]:
            if maker not in needed:
                needed.add(maker)
                missing += _missing(pipelines[maker].inputs(), catalog)
    return needed


def _ready(name: str, catalog: CatalogProtocol[Any, Any]) -> bool:
    """Return whether a dataset can be loaded: it exists, or the catalog lets it be absent."""
    try:
        return name in catalog and (
            getattr(catalog.get(name), "may_be_absent", False) or catalog.exists(name)
        )
    except DatasetError:  # raised for a version that was asked for and is not there
        return False


def _makers(name: str, pipelines: Mapping[str, Pipeline]) -> list[str]:
    """Return the registered pipelines that make a dataset and hold no other that does.

    More than one where a user may choose, as between ``prepare`` and ``ingest``; the first of them
    is the one that the whole chain runs.
    """
    makers = {key: set(p.nodes) for key, p in pipelines.items() if name in p.all_outputs()}
    smallest = [
        key for key, nodes in makers.items() if not any(nodes > other for other in makers.values())
    ]
    different = {frozenset(makers[key]): key for key in reversed(smallest)}
    return [key for key in smallest if key in different.values()]


def _place(name: str, catalog: CatalogProtocol[Any, Any]) -> str:
    if name not in catalog:
        return "not in the catalog"
    path = getattr(catalog.get(name), "_filepath", None)
    return str(path) if path is not None else "never saved to a file"

"""How often a run asked a classifier that is a black box."""

from typing import Any

from kedro.io import CatalogProtocol


def queries_of(catalog: CatalogProtocol[Any, Any]) -> Any | None:
    """Return the ``Queries`` of the catalog's classifier, None if it was asked none."""
    dataset = catalog.get("classifier") if "classifier" in catalog else None
    queries = getattr(dataset, "queries", None)
    return queries if queries is not None and queries.asked else None

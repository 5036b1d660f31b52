"""GLANCE pipeline: concepts, causal graph and counterfactuals of an image classifier."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glance_pipeline.explainer import Explainer

__version__ = "0.1.0"

__all__ = ["Explainer", "__version__"]


def __getattr__(name: str) -> Any:
    """Import ``Explainer`` only where it is asked for: it takes seconds, and Kedro starts here."""
    if name == "Explainer":
        return import_module("glance_pipeline.explainer").Explainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Packages that only some teachers need."""

from importlib import import_module
from typing import Any


def needed(package: str, extra: str, what: str) -> Any:
    """Import a package of an optional extra.

    Raises:
        ValueError: if it is not installed, saying how to install it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ValueError(
            f"{what} needs the package {package}, which cannot be imported ({error}): "
            f'pip install "glance-pipeline[{extra}]", or in a clone pip install -c '
            f'constraints.txt -e ".[{extra}]"'
        ) from error

"""Records as flat attributes, for formats that know text, numbers and truth values alone."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

Scalar = str | float | int | bool


def scalar_attributes(record: Any, prefix: str = "") -> dict[str, Scalar]:
    """Flatten a record: ``effect.value`` becomes ``effect_value``.

    What is None or empty is left out, since GraphML has no null and networkx does not read an
    empty text back. Lists, and mappings of text, become one text of items joined by ``"; "``.

    Args:
        record: a dataclass of scalars, dataclasses, tuples and mappings.
        prefix: put in front of each name.
    """
    attributes: dict[str, Scalar] = {}
    for field in fields(record):
        attributes |= _flat(prefix + field.name, getattr(record, field.name))
    return attributes


def _flat(name: str, value: Any) -> dict[str, Scalar]:
    if value is None or value == "":
        return {}
    if is_dataclass(value):
        return scalar_attributes(value, f"{name}_")
    if isinstance(value, Mapping):
        if all(isinstance(item, str) for item in value.values()):
            return _flat(name, tuple(f"{key}: {item}" for key, item in value.items()))
        return {f"{name}_{key}": item for key, item in value.items() if item is not None}
    if isinstance(value, tuple):
        return _flat(name, "; ".join(map(str, value)))
    return {name: value}

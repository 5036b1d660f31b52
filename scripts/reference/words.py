"""Types and values of parameters, as a user writes them in YAML."""

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic.fields import FieldInfo

_PLAIN = {int: "integer", float: "number", str: "text", bool: "true or false", type(None): "null"}


def value_in_words(value: Any) -> str:
    """Return a value as YAML of one line, in backticks."""
    plain = yaml.safe_dump(_plain(value), default_flow_style=True, width=10**6, allow_unicode=True)
    return f"`{plain.strip().removesuffix('...').strip()}`"


def type_in_words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Say which values a parameter takes.

    Args:
        annotation: its type.
        metadata: constraints on it, of the ``annotated_types`` kind.

    Raises:
        TypeError: if there are no words for the type.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    limits = _limits(metadata)
    if origin is Annotated:
        return type_in_words(parts[0], [*parts[1:], *metadata])
    if origin is Literal:
        return _either(value_in_words(part) for part in parts)
    if origin in (Union, types.UnionType):
        return _either(type_in_words(p, () if p is type(None) else metadata) for p in parts)
    if origin is tuple and parts[-1] is Ellipsis:
        return f"list; each: {type_in_words(parts[0])}"
    if origin is tuple:
        return f"list of {len(parts)}; each: {type_in_words(parts[0])}"
    if origin is dict:
        return f"mapping of {type_in_words(parts[0])} to {type_in_words(parts[1])}"
    if annotation in _PLAIN:
        return f"{_PLAIN[annotation]}{limits}"
    raise TypeError(f"the reference of parameters has no words for {annotation!r}")


def _either(choices: Iterable[str]) -> str:
    """Join choices with commas and a last ``or``."""
    *first, last = dict.fromkeys(choices)
    return f"{', '.join(first)} or {last}" if first else last


def _limits(metadata: Iterable[Any]) -> str:
    """Return the bounds that constraints state, such as `` ≥ 1``."""
    signs = {
        annotated_types.Ge: ("ge", "≥ {:,}"),
        annotated_types.Gt: ("gt", "> {:,}"),
        annotated_types.Le: ("le", "≤ {:,}"),
        annotated_types.Lt: ("lt", "< {:,}"),
        annotated_types.MultipleOf: ("multiple_of", "a multiple of {}"),
    }
    said = []
    for constraint in metadata:
        if isinstance(constraint, FieldInfo):
            said += [part for part in [_limits(constraint.metadata).strip()] if part]
        elif type(constraint) in signs:
            name, words = signs[type(constraint)]
            said.append(words.format(getattr(constraint, name)))
    return f" {', '.join(said)}" if said else ""


def _plain(value: Any) -> Any:
    """Return a value with lists for tuples, as YAML has them."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value

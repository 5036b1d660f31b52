"""Errors that are the user's to mend."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_Model = TypeVar("_Model", bound="BaseModel")


class UserError(ValueError):
    """What was asked for cannot be done: the message alone says why, and what can be done.

    ``kedro run`` shows it without a traceback.
    """


def in_one_line(error: Exception) -> str:
    """Return what an error says; TorchScript's shows its program first, which is left out."""
    text = str(error).strip()
    if "TorchScript" in text:
        text = text.rpartition("\n")[2]
    return " ".join(text.split())


def fields_in_words(error: "ValidationError", *block: str) -> str:
    """Say in one line which fields are wrong, and how.

    Args:
        error: error of a pydantic model.
        block: keys that the model lies under, which come before each field's own.
    """
    places = [(".".join(map(str, (*block, *e["loc"]))), e["msg"]) for e in error.errors()]
    return "; ".join(
        f"{place}: {said}" if place else said.removeprefix("Value error, ")
        for place, said in places
    )


def validated(kind: "type[_Model]", found: Mapping[str, Any], *block: str) -> _Model:
    """Return parameters as the model ``kind``.

    Args:
        kind: a pydantic model.
        found: values of its fields.
        block: keys that they lie under.

    Raises:
        UserError: naming each one that is wrong.
    """
    from pydantic import ValidationError

    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise UserError(f"parameter {fields_in_words(error, *block)}") from error

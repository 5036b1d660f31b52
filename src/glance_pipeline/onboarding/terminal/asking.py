"""Questions to the user: answered by an option, on the terminal, by a default, or not at all."""

from collections.abc import Callable
from typing import TypeVar

import click

from glance_pipeline.support.errors import UserError
from glance_pipeline.support.names import lines_made_visible

Answer = TypeVar("Answer")


def as_written(text: str) -> str:
    """Return an answer as it was written, without blanks around it."""
    return text.strip()


def tell(text: str) -> None:
    """Write to the terminal, which obeys nothing of it: names are a stranger's."""
    click.echo(lines_made_visible(text))


class Asker:
    """Asks where it may, and otherwise says which option is missing.

    Args:
        may_ask: whether somebody sits at a terminal and wants to be asked.
    """

    def __init__(self, may_ask: bool) -> None:
        self.may_ask = may_ask

    def settle(
        self,
        option: str,
        given: str | None,
        question: str,
        default: str | None = None,
        parse: Callable[[str], Answer] = as_written,  # type: ignore[assignment]
        missing: str | None = None,
    ) -> Answer:
        """Return the answer to one question.

        Args:
            option: that gives it, for messages.
            given: its value; None if it was not given.
            question: asked on the terminal.
            default: taken where nobody answers; None if there is none.
            parse: makes the answer of the text; a ``UserError`` on the terminal asks again.
            missing: said where nobody answers and there is no default.

        Raises:
            UserError: if there is no answer, or the option's cannot be used.
        """
        if given is not None:
            return _parsed(option, given, parse)
        if not self.may_ask:
            if default is None:
                raise UserError(f"{option} is missing: {missing or question}")
            return _parsed(option, default, parse)

        def value_of(text: str) -> Answer:
            try:
                return parse(text)
            except UserError as error:
                raise click.UsageError(lines_made_visible(str(error))) from error

        shown = question if default is None else f"{question} [{default}]"
        return click.prompt(
            lines_made_visible(shown), default=default, value_proc=value_of, show_default=False
        )


def _parsed(option: str, text: str, parse: Callable[[str], Answer]) -> Answer:
    try:
        return parse(text)
    except UserError as error:
        raise UserError(f"{option}: {error}") from error


def comma_separated(text: str) -> tuple[str, ...]:
    """Return the parts between commas, without blanks around them; none for an empty text."""
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def numbers(text: str) -> tuple[float, ...]:
    """Return numbers that are separated by commas."""
    try:
        return tuple(float(part) for part in comma_separated(text))
    except ValueError as error:
        raise UserError(f"found {text!r}, wanted numbers separated by commas") from error


def whole_number(text: str) -> int:
    """Return a whole number."""
    try:
        return int(text)
    except ValueError as error:
        raise UserError(f"found {text!r}, wanted a whole number") from error


def none_or(text: str) -> str | None:
    """Return a text, None for an empty one and for the word ``none``."""
    return None if text.strip().lower() in ("", "none") else text.strip()

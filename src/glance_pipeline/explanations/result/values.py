"""Concept values as people read them.

In their unit, a latent concept in standard deviations, and the probability of a binary feature or
of a level in percent.
"""

import math
import re

from glance_pipeline.explanations.result.explanation import Change, ConceptValue
from glance_pipeline.support.number_format import format_fixed, format_logits, format_number
from glance_pipeline.twin.networks import Concept

__all__ = [
    "change_of",
    "concept_value",
    "displayed_unit",
    "format_at",
    "format_logits",
    "format_number",
    "format_pair",
    "in_display_units",
    "with_unit",
    "written",
    "written_pair",
]

LATENT_UNIT = "sd"
_PERCENT = "%"

_PLAIN = (("0", "1"), ("-1", "1"), ("False", "True"), ("no", "yes"), ("n", "y"))
"""No and yes of a binary feature whose name alone says what there is."""


def displayed_unit(concept: Concept) -> str:
    """Return the unit a concept's values are shown in.

    ``%`` of a level; of a binary feature too, with what the yes stands for where its name does not
    say it: ``%`` of ``Smiling``, ``% male`` of a gender.
    """
    if concept.kind == "latent":
        return LATENT_UNIT
    if concept.measure == "continuous":
        return concept.unit
    yes = name_of_yes(concept)
    return f"{_PERCENT} {yes}" if yes else _PERCENT


def name_of_yes(concept: Concept) -> str:
    """Return what the yes of a binary feature stands for; empty if its name says it."""
    named = concept.measure == "binary" and concept.levels and concept.levels not in _PLAIN
    return concept.levels[1] if named else ""


def in_display_units(concept: Concept, standardised: float) -> float:
    """Bring a standardised value into ``displayed_unit``."""
    value = float(concept.to_units(float(standardised)))
    return value if concept.measure == "continuous" else 100 * value


def concept_value(concept: Concept, standardised: float) -> ConceptValue:
    """Describe one concept's value in one image."""
    return ConceptValue(
        name=concept.name,
        kind=concept.kind,
        unit=displayed_unit(concept),
        value=in_display_units(concept, standardised),
        standardised=float(standardised),
        low=in_display_units(concept, concept.low),
        high=in_display_units(concept, concept.high),
        feature=concept.feature,
        is_probability=concept.measure != "continuous",
    )


def change_of(concept: Concept, before: float, after: float) -> Change:
    """Describe a concept's change from one standardised value to another."""
    return Change(
        concept=concept.name,
        unit=displayed_unit(concept),
        before=in_display_units(concept, before),
        after=in_display_units(concept, after),
        standard_deviations=after - before,
        is_probability=concept.measure != "continuous",
    )


def format_at(value: float, resolution: float) -> str:
    """Write a number with as many decimals as show steps of ``resolution`` to about 5 %."""
    if resolution == 0:
        return format_number(value)
    return format_fixed(value, max(0, math.floor(1.3 - math.log10(abs(resolution)))))


def format_pair(first: float, second: float) -> tuple[str, str]:
    """Write two numbers with as many decimals as their difference asks for."""
    return format_at(first, first - second), format_at(second, first - second)


def written_pair(change: Change) -> tuple[str, str]:
    """Write a concept's value before and after a change, each with its unit."""
    before, after = (
        with_unit(text, change.unit, change.is_probability)
        for text in format_pair(change.before, change.after)
    )
    return before, after


def written(concept: ConceptValue) -> str:
    """Write a value with its unit: two significant digits, of a probability no decimals."""
    probability, value = concept.is_probability, concept.value
    text = format_fixed(value, 0) if probability else format_number(value)
    return with_unit(text, concept.unit, probability)


def with_unit(text: str, unit: str, is_probability: bool) -> str:
    """Put a unit behind a number already written; no probability is rounded to certainty."""
    certain = re.fullmatch(r"(0|100)(\.0+)?", text)
    if is_probability and certain:
        decimals = len(text.partition(".")[2])
        least = 10.0**-decimals
        no = certain[1] == "0"
        text = ("under " if no else "over ") + format_fixed(least if no else 100 - least, decimals)
    return f"{text} {unit}" if unit else text

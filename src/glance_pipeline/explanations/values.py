"""Concept values as people read them: in their unit, a latent concept in standard deviations."""

from glance_pipeline.explanations.explanation import ConceptValue
from glance_pipeline.networks import Concept

LATENT_UNIT = "sd"


def displayed_unit(concept: Concept) -> str:
    """Return the unit a concept's values are shown in."""
    return LATENT_UNIT if concept.kind == "latent" else concept.unit


def in_display_units(concept: Concept, standardised: float) -> float:
    """Bring a standardised value into ``displayed_unit``."""
    return float(standardised) * concept.std + concept.mean


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
    )


def format_number(value: float, digits: int = 2) -> str:
    """Write a number with ``digits`` significant digits, never in exponents, with a true minus."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - _exponent(value))
    text = f"{value:.{decimals}f}"
    return (text if float(text) != 0 else text.lstrip("-")).replace("-", "−")


def format_logits(value: float, signed: bool = False) -> str:
    """Write a number of logits: two significant digits, at most two decimals."""
    text = format_number(value) if abs(value) >= 0.1 else f"{value:.2f}".replace("-", "−")
    return f"+{text}" if signed and value >= 0 else text


def format_pair(first: float, second: float) -> tuple[str, str]:
    """Write two different numbers with as many digits as it takes to see the difference."""
    for digits in range(2, 9):
        pair = format_number(first, digits), format_number(second, digits)
        if pair[0] != pair[1]:
            break
    return pair


def with_unit(text: str, unit: str) -> str:
    """Put a unit behind a number that is already written."""
    return f"{text} {unit}" if unit else text


def _exponent(value: float) -> int:
    return int(f"{abs(value):e}".partition("e")[2])

"""Numbers as people read them: few digits, no exponents, a true minus."""

import math


def format_number(value: float, digits: int = 2) -> str:
    """Write a number with ``digits`` significant digits, never in exponents, with a true minus."""
    if value == 0:
        return "0"
    return format_fixed(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def format_logits(value: float, signed: bool = False) -> str:
    """Write a number of logits: two significant digits, at most two decimals."""
    text = format_number(value) if abs(value) >= 0.1 else format_fixed(value, 2)
    return f"+{text}" if signed and not text.startswith("−") else text


def format_measured(value: float, unit: str, signed: bool = False, with_unit: bool = True) -> str:
    """Write what is measured of an answer: of logits at most two decimals, else two digits.

    Args:
        value: in ``unit``.
        unit: ``logits``, or that of a number; may be empty.
        signed: whether a plus is written.
        with_unit: whether the unit is.
    """
    text = format_logits(value, signed) if unit == "logits" else format_number(value)
    if signed and unit != "logits" and not text.startswith("−"):
        text = f"+{text}"
    return f"{text} {unit}".rstrip() if with_unit else text


def format_fixed(value: float, decimals: int) -> str:
    """Write a number with ``decimals`` decimals and a true minus; zero has no sign."""
    text = f"{value:.{decimals}f}"
    return (text if float(text) != 0 else text.lstrip("-")).replace("-", "−")


def format_share(share: float) -> str:
    """Write a share, 0 to 1, as a percentage; 0 % and 100 % are exact, never rounded."""
    percent = round(100 * share)
    if percent == 100 and share < 1:
        return "over 99 %"
    if percent == 0 and share > 0:
        return "under 1 %"
    return f"{percent} %"


def format_p_value(p_value: float) -> str:
    """Write ``p = 0.012``; below 0.001 only that."""
    return "p < 0.001" if p_value < 0.001 else f"p = {format_number(p_value)}"

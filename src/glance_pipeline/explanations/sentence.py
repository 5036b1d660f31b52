"""One explanation in a few words, from templates, with its numbers and units."""

from collections.abc import Sequence

from glance_pipeline.explanations.explanation import (
    Change,
    ConceptValue,
    Counterfactuals,
    Importances,
    Prediction,
)
from glance_pipeline.explanations.values import (
    format_logits,
    format_number,
    format_pair,
    with_unit,
)

_WORTH_NAMING = 0.1
"""A concept is named as the reason from this part of the largest contribution upwards."""


def describe(
    prediction: Prediction,
    concepts: Sequence[ConceptValue],
    importances: Importances,
    counterfactuals: Counterfactuals,
) -> str:
    """Return two or three sentences: the answer, what speaks for it, what would change it."""
    said = [
        f"Predicted {prediction.class_name} ({prediction.probability:.2f}).",
        _because(concepts, importances),
        _otherwise(counterfactuals),
    ]
    return " ".join(said)


def _because(concepts: Sequence[ConceptValue], importances: Importances) -> str:
    """Name the concept that speaks most for the answer, unless that is little or chance."""
    least = _WORTH_NAMING * max(abs(i.contribution) for i in importances.of)
    for_it = [i for i in importances.of if i.contribution > max(2 * i.standard_error, least)]
    if not for_it:
        return "No concept clearly speaks for it."
    most = max(for_it, key=lambda importance: importance.contribution)
    levels = [value for value in concepts if most.concept in (value.name, value.feature)]
    value = max(levels, key=lambda level: level.value)
    shown = with_unit(format_number(value.value), value.unit)
    contribution = format_logits(most.contribution, signed=True)
    return f"Mostly because of {value.name} {shown} ({contribution} logits)."


def _otherwise(counterfactuals: Counterfactuals) -> str:
    if not counterfactuals.found:
        return counterfactuals.note
    first = counterfactuals.found[0]
    changes = [describe_change(change) for change in first.changes]
    listed = " and ".join(filter(None, [", ".join(changes[:-1]), changes[-1]]))
    return f"With {listed} it would be read as {first.prediction.class_name}."


def describe_change(change: Change) -> str:
    """Say a change, ``thickness 2.1 px instead of 3.4 px``."""
    after, before = format_pair(change.after, change.before)
    return (
        f"{change.concept} {with_unit(after, change.unit)} "
        f"instead of {with_unit(before, change.unit)}"
    )

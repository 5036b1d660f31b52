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
    written,
    written_pair,
)
from glance_pipeline.number_format import format_share

_WORTH_NAMING = 0.1
"""A concept is named as the reason from this part of the largest contribution upwards."""

_WORTH_FOLLOWING = 0.1
"""Standard deviations from which on what follows is named."""


def describe(
    prediction: Prediction,
    concepts: Sequence[ConceptValue],
    importances: Importances,
    counterfactuals: Counterfactuals,
    doubts: Sequence[str] = (),
) -> str:
    """Return a few sentences: the answer, what speaks for it, what would change it.

    Args:
        prediction: the teacher's answer.
        concepts: as read off the image.
        importances: of the concepts.
        counterfactuals: outcome of the search.
        doubts: reasons why this explanation is poor, half a sentence each; they come first.
    """
    said = [
        *([f"Poorly explained: {_listed(doubts)}."] if doubts else []),
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
    contribution = format_logits(most.contribution, signed=True)
    return f"Mostly because of {value.name} {written(value)} ({contribution} logits)."


def _otherwise(counterfactuals: Counterfactuals) -> str:
    if not counterfactuals.found:
        return counterfactuals.note
    first = counterfactuals.found[0]
    changes = _listed([describe_change(change) for change in first.changes])
    following = _following(first.following)
    sentence = f"With {changes}{following} it would be read as {first.prediction.class_name}"
    if first.graphs_agreeing is not None and first.graphs_agreeing < 1:
        share = format_share(first.graphs_agreeing)
        return f"{sentence} (in {share} of the causal graphs that the evidence allows)."
    return f"{sentence}."


def _following(changes: Sequence[Change]) -> str:
    """Say in brackets what follows from a change; nothing where that is too little to see."""
    named = [c for c in changes if abs(c.standard_deviations) >= _WORTH_FOLLOWING]
    if not named:
        return ""
    if len(named) == 1:
        return f" (and {named[0].concept}, which follows, {_values(named[0])})"
    return f" (and {_listed([describe_change(change) for change in named])}, which follow)"


def _listed(parts: Sequence[str]) -> str:
    """Join ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def describe_change(change: Change) -> str:
    """Say a change, ``thickness 2.1 px instead of 3.4 px``."""
    return f"{change.concept} {_values(change)}"


def _values(change: Change) -> str:
    before, after = written_pair(change)
    return f"{after} instead of {before}"

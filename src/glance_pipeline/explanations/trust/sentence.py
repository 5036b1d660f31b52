"""One explanation in a few words, from templates, with its numbers and units."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import (
    Change,
    ConceptValue,
    Counterfactual,
    Counterfactuals,
    Importance,
    Importances,
)
from glance_pipeline.explanations.result.values import written, written_pair
from glance_pipeline.support.number_format import format_measured, format_share

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
    *,
    is_twin: bool = True,
    untold: Collection[str] = (),
) -> str:
    """Return a few sentences: the answer, what speaks for it, what would change it.

    Args:
        prediction: the teacher's answer.
        concepts: as read off the image.
        importances: importances of the concepts.
        counterfactuals: outcome of the search.
        doubts: reasons why this explanation is poor, half a sentence each; they come first.
        is_twin: whether the surrogate answers enough like the classifier for a reason to be given.
        untold: concepts of which it cannot be told whether they matter for the answer.
    """
    why = _Reasons(concepts, importances, frozenset(untold))
    if not is_twin:
        answer = _TOLD[prediction.kind](prediction, why, counterfactuals)[0]
        return f"{answer} Why cannot be told: the surrogate is no twin of this classifier."
    poorly = [f"Poorly explained: {_listed(doubts)}."] if doubts else []
    return " ".join([*poorly, *_TOLD[prediction.kind](prediction, why, counterfactuals)])


@dataclass(frozen=True)
class _Reasons:
    """What a reason can be taken from."""

    concepts: Sequence[ConceptValue]
    importances: Importances
    untold: frozenset[str]

    def named(self, most: Importance) -> str:
        """Name a concept with its value and its contribution."""
        levels = [value for value in self.concepts if most.concept in (value.name, value.feature)]
        value = max(levels, key=lambda level: level.value)
        contribution = format_measured(most.contribution, self.importances.unit, signed=True)
        return f"{value.name} {written(value)} ({contribution})"

    def doubted(self, most: Importance) -> str:
        """Say that a concept may be no reason; nothing where it is one."""
        if most.concept not in self.untold:
            return ""
        return f"; whether {most.concept} is a reason cannot be told"


def _class(prediction: Prediction, why: _Reasons, counterfactuals: Counterfactuals) -> list[str]:
    """Say which class it is."""
    importances = why.importances
    least = _WORTH_NAMING * max(abs(i.contribution) for i in importances.of)
    for_it = [i for i in importances.of if i.contribution > max(2 * i.standard_error, least)]
    most = max(for_it, key=lambda importance: importance.contribution, default=None)
    because = (
        "No concept clearly speaks for it."
        if most is None
        else f"Mostly because of {why.named(most)}{why.doubted(most)}."
    )
    return [
        f"Predicted {prediction.class_name} ({prediction.probability:.2f}).",
        because,
        _otherwise(counterfactuals),
    ]


def _labels(prediction: Prediction, why: _Reasons, counterfactuals: Counterfactuals) -> list[str]:
    """Say which labels are on, and of the one that is explained why it is on or off."""
    importances = why.importances
    on = [f"{name} ({figure})" for name, figure in prediction.parts if figure]
    label = prediction.output(importances.class_name)
    way = 1 if label.on else -1
    least = _WORTH_NAMING * max(abs(i.contribution) for i in importances.of)
    for_it = [i for i in importances.of if way * i.contribution > max(2 * i.standard_error, least)]
    most = max(for_it, key=lambda importance: way * importance.contribution, default=None)
    because = (
        "no concept clearly speaks for that"
        if most is None
        else f"mostly because of {why.named(most)}{why.doubted(most)}"
    )
    return [
        f"On: {_listed(on)}." if on else "No label is on.",
        f"{label.name} is {_state(bool(label.on))} (probability {label.value:.2f}), {because}.",
        _otherwise(counterfactuals),
    ]


def _numbers(prediction: Prediction, why: _Reasons, counterfactuals: Counterfactuals) -> list[str]:
    """Say the numbers, and of the one that is explained what moves it most."""
    importances = why.importances
    average = format_measured(importances.baseline, importances.unit)
    clear = [i for i in importances.of if abs(i.contribution) > 2 * i.standard_error]
    most = max(clear, key=lambda importance: abs(importance.contribution), default=None)
    which = f" {importances.class_name}" if len(prediction.outputs) > 1 else ""
    because = (
        f"No concept clearly moves{which or ' it'} from the average of {average}."
        if most is None or not most.contribution
        else f"What moves{which or ' it'} most from the average of {average} is "
        f"{why.named(most)}{why.doubted(most)}."
    )
    return [f"Read as {prediction.class_name}.", because, _otherwise(counterfactuals)]


_TOLD = {"one_of": _class, "each": _labels, "values": _numbers}
"""What is said, by the kind of the answer."""


def _otherwise(counterfactuals: Counterfactuals) -> str:
    """Say what would change the answer: of numbers either way, where both were found."""
    if not counterfactuals.found:
        return counterfactuals.note
    first = counterfactuals.found[0]
    shown = [first]
    if first.prediction.kind == "values":
        shown += [other for other in counterfactuals.found if _other_way(first, other)][:1]
    said = [_changed(found) for found in shown]
    return " ".join([*said, counterfactuals.note]).rstrip()


def _other_way(first: Counterfactual, other: Counterfactual) -> bool:
    """Return whether two counterfactuals of a number lie on either side of the image's answer."""
    return first.upwards is not None and other.upwards == (not first.upwards)


def _changed(found: Counterfactual) -> str:
    changes = _listed([describe_change(change) for change in found.changes])
    sentence = f"With {changes}{_following(found.following)} {_outcome(found)}"
    if found.graphs_agreeing is not None and found.graphs_agreeing < 1:
        share = format_share(found.graphs_agreeing)
        return f"{sentence} (in {share} of the causal graphs that the evidence allows)."
    return f"{sentence}."


def _outcome(found: Counterfactual) -> str:
    """Say what the answer would be: of labels which one would turn, and which others too."""
    if not found.flipped:
        return f"it would be read as {found.prediction.class_name}"
    first, *others = found.flipped
    also = _listed([f"{flip.name} {_state(flip.on)}" for flip in others]) if others else ""
    return f"{first.name} would be {_state(first.on)}" + (f", and {also} too" if also else "")


def _state(on: bool) -> str:
    return "on" if on else "off"


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

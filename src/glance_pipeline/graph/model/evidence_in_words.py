"""The evidence behind an edge, in words."""

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Mark
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.support.number_format import (
    format_fixed,
    format_measured,
    format_number,
    format_p_value,
    format_share,
)

CHANGING_SIGN = 2.0
"""Mean size of an effect over the size of its mean, from which on its sign is said to change."""

# By the marks at a and b. What a partial ancestral graph says with each: Zhang (2008).
_MARKS: dict[tuple[Mark, Mark], str] = {
    ("circle", "circle"): "whether {a} causes {b}, {b} causes {a} or something hidden causes both "
    "cannot be told",
    ("circle", "arrow"): "{b} does not cause {a}; whether {a} causes {b} or something hidden "
    "causes both cannot be told",
    ("tail", "arrow"): "{a} causes {b}",
    ("arrow", "arrow"): "neither causes the other: something hidden causes both",
    ("tail", "circle"): "{a} causes {b}, or what the images were selected by; the end at {b} "
    "cannot be told",
    ("tail", "tail"): "the images seem to be selected by what both {a} and {b} cause",
}


def evidence_in_words(edge: Edge, graph: CausalGraph) -> str:
    """Say what an edge asserts and what speaks for it, in a few sentences.

    Args:
        edge: edge of ``graph``.
        graph: says how the evidence was gathered.
    """
    sentences = [_between(edge, graph)] if edge.verdict is None else _on_prediction(edge, graph)
    return " ".join([*sentences, *_further_evidence(edge, graph)])


def _between(edge: Edge, graph: CausalGraph) -> str:
    """Return the sentence on an edge between concepts."""
    parts = []
    if edge.frequency is not None:
        parts.append(f"in {format_share(edge.frequency)} of {graph.search.resamples:,} resamples")
    if edge.association is not None:
        parts.append(f"correlation {_with_interval(edge.association)}")
    parts.append(_what_marks_say(edge))
    ends = (
        (edge.source, edge.mark_at_source, edge.source_marks),
        (edge.target, edge.mark_at_target, edge.target_marks),
    )
    shares = [
        f"{'an arrowhead' if mark == 'arrow' else 'a tail'} at {name} in "
        f"{format_share(frequencies[mark])}"
        for name, mark, frequencies in ends
        if mark != "circle" and mark in frequencies
    ]
    said = _sentence("; ".join(parts), edge.source, edge.target)
    if shares:
        said += f" Of the resamples that hold the edge, {' and '.join(shares)}."
    return said


def _what_marks_say(edge: Edge) -> str:
    marks = (edge.mark_at_source, edge.mark_at_target)
    if marks in _MARKS:
        return _MARKS[marks].format(a=edge.source, b=edge.target)
    return _MARKS[marks[1], marks[0]].format(a=edge.target, b=edge.source)


def _on_prediction(edge: Edge, graph: CausalGraph) -> list[str]:
    """Return the sentences on an edge from a concept to a prediction."""
    concept = f"{edge.source} = {edge.level}" if edge.level else edge.source
    margin = f"the {graph.node(edge.target).measured} of {graph.node(edge.target).label}"
    if edge.verdict == "used":
        return [*_used(edge, graph, concept, margin), *_range(edge, graph)]
    if edge.verdict == "cannot_be_told" and edge.effect is not None:
        determination = graph.node(edge.source).determination
        return [
            f"Whether {concept} matters for {margin} cannot be told.",
            *([f"It cannot be moved by itself: {determination}."] if determination else []),
            *_perhaps_turned(edge),
            *_under_choices(edge, edge.effect, graph, concept),
        ]
    said = f"{concept} goes along with {margin}"
    if edge.association is not None:
        said += f": correlation {_with_interval(edge.association)}"
    return [f"{said}.", f"{_missing_effect(edge, graph, concept, margin)}."]


def _used(edge: Edge, graph: CausalGraph, concept: str, margin: str) -> list[str]:
    effect = edge.effect
    if effect is None:
        return [f"do({concept}) changes {margin}."]
    unit, measured = graph.node(edge.target).unit, graph.node(edge.target).measured
    said = (
        f"do({concept}) changes {margin} by {_amount(effect, unit)} for one standard deviation, "
        f"{format_fixed(effect.standardised, 2)} standard deviations of the {measured}"
    )
    sentences = [f"{said}."]
    curve = edge.dose_response
    by_curve = curve is not None and curve.decisive
    if curve is not None and curve.decisive and curve.adjusted_p_value is not None:
        sentences.append(
            f"That average alone would not count; the {measured} differs between the values that "
            f"it is set to (adjusted {format_p_value(curve.adjusted_p_value)})."
        )
    if edge.frequency is not None and graph.intervention is not None:
        agrees = (
            "the curve is not flat"
            if by_curve
            else ("the effect has this sign and is not negligible")
        )
        sentences.append(
            f"In {format_share(edge.frequency)} of {graph.intervention.resamples:,} resamples of "
            f"the images {agrees}."
        )
    if edge.sign_depends_on:
        others = " and ".join(edge.sign_depends_on)
        sentences.append(
            f"Its sign depends on {others}: one standard deviation above and below, the effect has "
            "opposite signs."
        )
    if effect.magnitude is not None and effect.magnitude > CHANGING_SIGN * abs(effect.value):
        sentences.append(
            "Its sign changes from image to image: its mean size is "
            f"{format_measured(effect.magnitude, unit)}."
        )
    return sentences


def _perhaps_turned(edge: Edge) -> list[str]:
    """Say that latent concepts turn the sign, whose meaning may itself depend on this concept."""
    if not edge.sign_depends_on:
        return []
    others = " and ".join(edge.sign_depends_on)
    return [
        f"The sign of its effect depends on {others}, which no feature names: it may only change "
        "how strongly that is drawn."
    ]


def _range(edge: Edge, graph: CausalGraph) -> list[str]:
    """Say between which numbers an effect is, over all choices of what is held."""
    ends = edge.effect_range
    if ends is None or not edge.choices:
        return []
    unit = graph.node(edge.target).unit
    low = format_measured(ends[0], unit, True, with_unit=False)
    high = format_measured(ends[1], unit, signed=True)
    return [f"Whatever else is held, and on real images, it is {low} to {high}."]


def _under_choices(edge: Edge, effect: Estimate, graph: CausalGraph, concept: str) -> list[str]:
    """Say what the choices of what is held say, which do not agree."""
    unit = graph.node(edge.target).unit
    sentences = [
        f"With everything else held, do({concept}) changes it by {_amount(effect, unit)} for one "
        "standard deviation."
    ]
    told = {
        one.choice: format_measured(one.value, unit, signed=True, with_unit=False)
        for one in edge.choices
    }
    words = [
        f"{_CHOICES[name].format(concept=concept)} {value}"
        for name, value in told.items()
        if name in _CHOICES
    ]
    if words:
        sentences.append(_sentence("; ".join(words)))
    curve = edge.dose_response
    if curve is not None and all(one.agrees for one in edge.choices):
        sentences.append("The curve bends, and real images do not bend with it.")
    return sentences


_CHOICES = {
    "regauged": "with what goes along with {concept} in the images let go too,",
    "smallest_change": "with the smallest change of the picture,",
    "unnamed_held": "less what goes with properties that no feature names,",
    "real_images": "on real images, the other concepts held,",
}
"""What an effect is taken under, before its value."""


def _missing_effect(edge: Edge, graph: CausalGraph, concept: str, margin: str) -> str:
    """Say why a concept that goes along with a prediction is not called used."""
    effect, tests = edge.effect, graph.intervention
    if effect is None or effect.adjusted_p_value is None or tests is None:
        return f"An effect of do({concept}) was not tested"
    unit, measured = graph.node(edge.target).unit, graph.node(edge.target).measured
    said = (
        f"do({concept}) changes {margin} by {_amount(effect, unit)} for one standard deviation, "
        "which "
    )
    if effect.adjusted_p_value > tests.alpha:
        return f"{said}cannot be told from nothing"
    return (
        f"{said}is less than the smallest effect that counts, {format_number(tests.minimum_effect)}"
        f" standard deviations of the {measured}"
    )


def _further_evidence(edge: Edge, graph: CausalGraph) -> list[str]:
    """Return sentences on a dose–response curve, re-examination, knowledge and a suggestion."""
    sentences = _moved(edge)
    curve = edge.dose_response
    if curve is not None:
        node = graph.node(edge.source)
        unit = "" if curve.levels else " sd" if node.kind == "latent" else f" {node.unit}".rstrip()
        ends = curve.levels or tuple(map(format_number, curve.values))
        if len(curve.values) == 2 and not curve.levels:  # of a binary feature, which no other has
            ends, unit = ("a clear no", "a clear yes"), ""
        target = graph.node(edge.target)
        first = format_measured(curve.margins[0], target.unit, with_unit=False)
        last = format_measured(curve.margins[-1], target.unit)
        sentences.append(
            f"Set from {ends[0]} to {ends[-1]}{unit} on every image, the mean {target.measured} "
            f"goes from {first} to {last}."
        )
    again = edge.reexamination
    if again is not None:
        given = f" given {', '.join(again.given)}" if again.given else ""
        found = (
            "still finds it" if again.p_value <= graph.search.alpha else "does not find it again"
        )
        stays = ", yet it stays" if again.kept and again.p_value > graph.search.alpha else ""
        sentences.append(f"{again.test} {found}{given} ({format_p_value(again.p_value)}){stays}.")
    if edge.knowledge:
        sentences.append(_sentence(f"background knowledge: {edge.knowledge}"))
    hint = edge.suggestion
    if hint is not None:
        sentences.append(
            f"{hint.method} suggests {hint.source} before {hint.target} "
            f"({format_p_value(hint.p_source_first)}, the other way round "
            f"{format_p_value(hint.p_target_first)}): a hint, not a finding."
        )
    return sentences


def _moved(edge: Edge) -> list[str]:
    """Say what moved beside the concept, and how much of the effect goes with that."""
    counting = [one for one in edge.moved if one.share is not None and abs(one.share) >= 0.1][:3]
    if not counting:
        return []
    parts = [
        f"{one.property} ({format_fixed(one.by, 2)} of its standard deviations, "
        f"{format_share(one.share or 0.0)} of the effect)"
        for one in counting
    ]
    return [f"It moved what no feature names: {', '.join(parts)}."]


def _with_interval(estimate: Estimate) -> str:
    """Return ``0.62 (0.60 to 0.64; adjusted p < 0.001)``."""
    value, low, high = (format_fixed(v, 2) for v in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high}{_adjusted(estimate)})"


def _amount(effect: Estimate, unit: str) -> str:
    """Return ``+1.2 logits (+1.1 to +1.4; adjusted p < 0.001)``."""
    value = format_measured(effect.value, unit, signed=True)
    low, high = (format_measured(v, unit, True, with_unit=False) for v in (effect.low, effect.high))
    return f"{value} ({low} to {high}{_adjusted(effect)})"


def _adjusted(estimate: Estimate) -> str:
    if estimate.adjusted_p_value is None:
        return ""
    return f"; adjusted {format_p_value(estimate.adjusted_p_value)}"


def _sentence(text: str, *names: str) -> str:
    """Close a sentence and open it with a capital, but keep a name at its start as it is."""
    if not text.startswith(names):
        text = text[0].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."

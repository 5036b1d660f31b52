"""Concept → prediction edges: judged by what interventions did and what goes along."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import Measured, Measurements
from glance_pipeline.graph.effects.estimation import Finding, correlate_with_margins, estimate
from glance_pipeline.graph.effects.real_images import regress_on_concepts
from glance_pipeline.graph.effects.unnamed import Unnamed
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node, Verdict
from glance_pipeline.graph.model.evidence import DoseResponse, Estimate, Moved
from glance_pipeline.graph.model.records import InterventionRecord
from glance_pipeline.twin.concept_table import ConceptTable


def add_predictions(
    graph: CausalGraph,
    table: ConceptTable,
    measurements: Measurements,
    settings: InterventionParameters,
    observed: ConceptTable | None = None,
) -> CausalGraph:
    """Add the predictions of the table as sinks, with one judged edge from every concept.

    The arrowhead at the prediction is known beforehand: an answer is computed from the image and
    causes nothing in it. The mark at the concept is a tail where an intervention shows that the
    concept is a cause, and stays a circle otherwise.

    Args:
        graph: graph of the concepts; one that others determine cannot be told.
        table: concepts and margins of all images, for the associations.
        measurements: what moving each node did to the margins, in the order of the table.
        settings: levels and smallest effects.
        observed: the table with context features as they were measured, for what real images say;
            ``table`` where there is none.
    """
    measured = measurements.nodes
    columns = [name for node in measured.values() for name in node.effects]
    associations = correlate_with_margins(table, columns)
    real = regress_on_concepts(observed or table) if "real_images" in settings.choices else None
    unnamed = measurements.unnamed
    findings = estimate(measured, table, settings.minimum_effect, real, unnamed)
    told = {node.name for node in graph.nodes if node.determination}
    judged = [
        _edge(
            node,
            label,
            {name: (findings[name, label], associations[name, label]) for name in tested.effects},
            settings,
            _moved_beyond(settings.tolerance, tested, unnamed),
        )
        for node, tested in measured.items()
        for label in map(str, table.margins)
    ]
    judged = [_by_itself(edge) if edge.source in told else edge for edge in judged]
    edges = tuple(edge for edge in judged if edge.verdict != "neither")
    rejected = tuple(edge for edge in judged if edge.verdict == "neither")
    record = _record(settings, findings.values(), measurements)
    labels = map(str, table.margins)
    nodes = tuple(
        Node(prediction_name(one), "prediction", one, table.unit_of(one), measure=table.measure)
        for one in labels
    )
    return graph.with_predictions(nodes, edges, rejected, record)


def prediction_name(label: str) -> str:
    """Return the name of an output's node; it may be called what a concept is called."""
    return f"prediction:{label}"


def judge(finding: Finding, association: Estimate, settings: InterventionParameters) -> Verdict:
    """Say whether a concept is used for a class, only associated with it, or neither.

    Used: the average effect is significant after correction and not practically null, or the
    dose–response curve is, and every other choice of what is held agrees; of a curve, real images
    bend the same way. Cannot be told: some choices speak for an effect and others do not. Only
    associated: it is not used, yet image by image it goes along with the margin; most often because
    it depends on a concept that is used.
    """
    if _passes(finding.effect, settings.alpha, settings.minimum_effect):
        return "used" if all(one.agrees for one in finding.choices) else "cannot_be_told"
    if _bends(finding.response, settings):
        alike = _bends_alike(finding, settings.minimum_effect)
        return "used" if alike else "cannot_be_told"
    if _contradicted(finding, settings):
        return "cannot_be_told"
    if _passes(association, settings.alpha, settings.minimum_correlation):
        return "only_associated"
    return "neither"


def _edge(
    node: str,
    label: str,
    tested: Mapping[str, tuple[Finding, Estimate]],
    settings: InterventionParameters,
    moved: Mapping[int, Moved],
) -> Edge:
    """Return the judged edge of a node and a class, by the column that tells most."""
    column = max(tested, key=lambda name: _telling(*tested[name], settings))
    finding, association = tested[column]
    effect, stability, response = finding.effect, finding.stability, finding.response
    verdict = judge(finding, association, settings)
    used = verdict == "used"
    if used and response and not _passes(effect, settings.alpha, settings.minimum_effect):
        response, stability = replace(response, decisive=True), finding.curve_stability
    return Edge(
        source=node,
        target=prediction_name(label),
        mark_at_source="tail" if used else "circle",
        mark_at_target="arrow",
        evidence="association" if verdict in ("only_associated", "neither") else "intervention",
        association=association,
        effect=effect,
        frequency=stability if used else None,
        verdict=verdict,
        dose_response=response,
        level="" if column == node else column.removeprefix(f"{node}="),
        choices=finding.choices,
        moved=_with_shares(moved, finding),
    )


def _moved_beyond(tolerance: float, tested: Measured, unnamed: Unnamed | None) -> dict[int, Moved]:
    """Return the unnamed properties that moved by more than is tolerated, by their place."""
    if unnamed is None or tested.moved is None:
        return {}
    return {
        place: Moved(unnamed.names[place], float(by), None)
        for place, by in enumerate(tested.moved)
        if abs(by) > tolerance
    }


def _with_shares(moved: Mapping[int, Moved], finding: Finding) -> tuple[Moved, ...]:
    """Return what moved, with its part of an effect, the largest first."""
    if finding.shares is None:
        return ()
    value, shares = finding.effect.value, finding.shares
    order = sorted(moved, key=lambda place: -abs(shares[place]))
    return tuple(
        replace(moved[place], share=float(shares[place] / value) if value else None)
        for place in order
    )


def _by_itself(edge: Edge) -> Edge:
    """Return the edge of a concept that cannot be moved by itself."""
    if edge.verdict == "neither":
        return edge
    return replace(edge, verdict="cannot_be_told", mark_at_source="circle", evidence="intervention")


def _record(
    settings: InterventionParameters, findings: Collection[Finding], measurements: Measurements
) -> InterventionRecord:
    """Return the settings and the number of tests."""
    return InterventionRecord(
        images=measurements.images,
        step=settings.step,
        resamples=settings.resamples,
        alpha=settings.alpha,
        correction="Holm",
        tests=len(findings),
        minimum_effect=settings.minimum_effect,
        minimum_correlation=settings.minimum_correlation,
        seed=measurements.seed,
        exclusions=measurements.exclusions,
        other_classes=measurements.other_classes,
        curve_tests=sum(_is_tested(finding.response) for finding in findings),
    )


def _telling(
    finding: Finding, association: Estimate, settings: InterventionParameters
) -> tuple[bool, float, bool, float]:
    """Order the levels of a feature: used first, by their effect, then those that go along."""
    used = _passes(finding.effect, settings.alpha, settings.minimum_effect)
    along = _passes(association, settings.alpha, settings.minimum_correlation)
    effect = abs(finding.effect.standardised)
    return used, effect if used else 0.0, along, abs(association.value) if along else effect


def _is_tested(response: DoseResponse | None) -> bool:
    return response is not None and response.p_value is not None


def _bends(response: DoseResponse | None, settings: InterventionParameters) -> bool:
    """Say whether a curve is not flat: significantly, and more than practically."""
    if response is None or response.adjusted_p_value is None or response.size is None:
        return False
    return response.adjusted_p_value <= settings.alpha and response.size >= settings.minimum_effect


def _bends_alike(finding: Finding, minimum: float) -> bool:
    """Say whether real images bend as the curve does, beyond doubt and by a size that counts.

    The size of a curve b·u² is about b. True if real images were not asked.
    """
    if finding.bend is None or finding.response is None:
        return True
    margins = np.array(finding.response.margins)
    value, error = finding.bend
    curvature = np.polyfit(np.array(finding.response.values), margins, 2)[0]
    certain = abs(value) > 1.96 * error and abs(value) >= minimum
    return bool(curvature * value > 0 and certain)


def _contradicted(finding: Finding, settings: InterventionParameters) -> bool:
    """Say whether real images and an intervention with less held speak for the same effect."""
    counting = [
        one
        for one in finding.choices
        if (one.low > 0 or one.high < 0) and abs(one.standardised) >= settings.minimum_effect
    ]
    by_intervention = [one.value > 0 for one in counting if one.choice != "real_images"]
    real = [one.value > 0 for one in counting if one.choice == "real_images"]
    asked = any(one.choice == "real_images" for one in finding.choices)
    return any(sign in real for sign in by_intervention) if asked else bool(by_intervention)


def _passes(estimate: Estimate, alpha: float, minimum: float) -> bool:
    adjusted = estimate.adjusted_p_value
    return adjusted is not None and adjusted <= alpha and abs(estimate.standardised) >= minimum

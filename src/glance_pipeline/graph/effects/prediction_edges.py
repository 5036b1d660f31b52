"""Concept → prediction edges: judged by what interventions did and what goes along."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import Measurements
from glance_pipeline.graph.effects.estimation import Finding, correlate_with_margins, estimate
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node, Verdict
from glance_pipeline.graph.model.evidence import DoseResponse, Estimate
from glance_pipeline.graph.model.records import InterventionRecord
from glance_pipeline.twin.concept_table import ConceptTable


def add_predictions(
    graph: CausalGraph,
    table: ConceptTable,
    measurements: Measurements,
    settings: InterventionParameters,
) -> CausalGraph:
    """Add the predictions of the table as sinks, with one judged edge from every concept.

    The arrowhead at the prediction is known beforehand: an answer is computed from the image and
    causes nothing in it. The mark at the concept is a tail where an intervention shows that the
    concept is a cause, and stays a circle otherwise.

    Args:
        graph: graph of the concepts.
        table: concepts and margins of all images, for the associations.
        measurements: what moving each node did to the margins, in the order of the table.
        settings: levels and smallest effects.
    """
    measured = measurements.nodes
    columns = [name for node in measured.values() for name in node.effects]
    associations = correlate_with_margins(table, columns)
    findings = estimate(measured, table, settings.minimum_effect)
    judged = [
        _edge(
            node,
            label,
            {name: (findings[name, label], associations[name, label]) for name in tested.effects},
            settings,
        )
        for node, tested in measured.items()
        for label in map(str, table.margins)
    ]
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


def judge(
    effect: Estimate,
    association: Estimate,
    settings: InterventionParameters,
    response: DoseResponse | None = None,
) -> Verdict:
    """Say whether a concept is used for a class, only associated with it, or neither.

    Used: the average effect is significant after correction and not practically null, or the
    dose–response curve is. Only associated: it is not used, yet image by image it goes along with
    the margin; most often because it depends on a concept that is used.
    """
    if _passes(effect, settings.alpha, settings.minimum_effect) or _bends(response, settings):
        return "used"
    if _passes(association, settings.alpha, settings.minimum_correlation):
        return "only_associated"
    return "neither"


def _edge(
    node: str,
    label: str,
    tested: Mapping[str, tuple[Finding, Estimate]],
    settings: InterventionParameters,
) -> Edge:
    """Return the judged edge of a node and a class, by the column that tells most."""
    column = max(tested, key=lambda name: _telling(*tested[name], settings))
    (effect, stability, response, curve_stability), association = tested[column]
    verdict = judge(effect, association, settings, response)
    used = verdict == "used"
    if used and response and not _passes(effect, settings.alpha, settings.minimum_effect):
        response, stability = replace(response, decisive=True), curve_stability
    return Edge(
        source=node,
        target=prediction_name(label),
        mark_at_source="tail" if used else "circle",
        mark_at_target="arrow",
        evidence="intervention" if used else "association",
        association=association,
        effect=effect,
        frequency=stability if used else None,
        verdict=verdict,
        dose_response=response,
        level="" if column == node else column.removeprefix(f"{node}="),
    )


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


def _passes(estimate: Estimate, alpha: float, minimum: float) -> bool:
    adjusted = estimate.adjusted_p_value
    return adjusted is not None and adjusted <= alpha and abs(estimate.standardised) >= minimum

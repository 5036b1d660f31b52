"""The causal graph: concepts and predictions, and edges with the evidence behind each.

Its JSON form is documented in ``docs/reference/causal_graph_schema.md``.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import networkx as nx
from pydantic import TypeAdapter, ValidationError

from glance_pipeline.graph.model.attributes import scalar_attributes
from glance_pipeline.graph.model.evidence import (
    DoseResponse,
    EffectUnderChoice,
    Estimate,
    Interaction,
    Moved,
    Reexamination,
    Suggestion,
)
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.graph.model.records import InterventionRecord, SearchRecord
from glance_pipeline.support.names import made_visible, xml_key

SCHEMA = "glance-causal-graph"
VERSION = 5
READABLE = (1, 2, 3, 4, 5)
"""Older versions lack what newer ones added, all of which may be absent. From version 3 on a
prediction may be a label or a number, whose ``measure`` is no margin; from version 4 on nothing may
be told at all, see ``gate``; from version 5 on an edge to a prediction may be one that cannot be
told."""

Mark = Literal["tail", "arrow", "circle"]
NodeKind = Literal["aligned", "latent", "prediction"]
Evidence = Literal["association", "intervention"]
Verdict = Literal["used", "only_associated", "neither", "cannot_be_told"]


@dataclass(frozen=True)
class Node:
    """A concept, or the prediction of one class, label or number.

    Attributes:
        name: unique in the graph; a concept's name, or ``prediction:CLASS``.
        kind: ``aligned`` or ``latent`` concept, or ``prediction``.
        label: what a reader is shown: the concept's or the class's name.
        unit: unit of an aligned concept; of a prediction ``logits``, or the unit of a number.
        levels: levels of a categorical feature, which is one node; empty for any other.
        measure: what is measured of a prediction: ``margin`` (of a class, in
            logits), ``logit`` (of a label), ``value`` (a number, in ``unit``). Empty for a concept,
            and in files of older versions, where it is the margin.
        determination: of an aligned concept that others tell, by which and how far, in words: it
            cannot be moved by itself. Empty for any other.
    """

    name: str
    kind: NodeKind
    label: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    measure: str = ""
    determination: str = ""

    @property
    def measured(self) -> str:
        """What is measured of a prediction, in a word."""
        return self.measure or "margin"


@dataclass(frozen=True)
class Edge:
    """An edge of the graph, or a pair that was examined and did not make one.

    Between concepts the marks are those of a partial ancestral graph: ``arrow`` at B says that B is
    no cause of A, ``tail`` at A that A is a cause of B, ``circle`` that it cannot be told.

    Attributes:
        source: name of one node; where there is exactly one arrow, the node without it.
        target: name of the other.
        mark_at_source: tail, arrow or circle.
        mark_at_target: tail, arrow or circle.
        evidence: what the edge rests on.
        association: correlation of the two nodes' normal scores.
        effect: effect of do(source) on target; None between concepts.
        frequency: share of bootstrap resamples that hold the edge. For an effect, the share in
            which it has the same sign and reaches the smallest effect. None if not resampled.
        source_marks: share of each mark at the source among the resamples that hold the edge.
        target_marks: the same at the target.
        verdict: verdict of a concept → prediction test; None between concepts.
        reexamination: nonparametric test of an edge that the resamples held; None if not made.
        knowledge: in words, what the user's background knowledge says of this pair; empty if
            it says nothing.
        suggestion: a direction that functional asymmetry suggests; it sets no mark.
        dose_response: of a concept → prediction edge, the margin as the concept is moved.
        level: level of a categorical concept, the one whose effect on the prediction is given.
        sign_depends_on: other concepts that turn the effect's sign, by name, with the standardised
            size of the interaction: one standard deviation of the other adds it to the effect,
            which is no larger. The concept is *used* then, whatever its average effect is.
        choices: of a concept → prediction edge, the effect under other choices of what is held. A
            concept is *used* if all agree; if some do, it *cannot be told*.
        moved: unnamed properties that moved with the concept by more than the tolerance, those with
            the largest part of the effect first.
    """

    source: str
    target: str
    mark_at_source: Mark
    mark_at_target: Mark
    evidence: Evidence
    association: Estimate | None = None
    effect: Estimate | None = None
    frequency: float | None = None
    source_marks: dict[Mark, float] = field(default_factory=dict)
    target_marks: dict[Mark, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    reexamination: Reexamination | None = None
    knowledge: str = ""
    suggestion: Suggestion | None = None
    dose_response: DoseResponse | None = None
    level: str = ""
    sign_depends_on: dict[str, float] = field(default_factory=dict)
    choices: tuple[EffectUnderChoice, ...] = ()
    moved: tuple[Moved, ...] = ()

    @property
    def effect_range(self) -> tuple[float, float] | None:
        """Smallest and largest effect over all choices of what is held; None without an effect."""
        if self.effect is None:
            return None
        values = [self.effect.value, *(one.value for one in self.choices)]
        return min(values), max(values)

    @property
    def estimate(self) -> Estimate | None:
        """The number that the edge's evidence gives: its effect or its association."""
        return self.effect if self.evidence == "intervention" else self.association

    @property
    def strength(self) -> float:
        """The standardised estimate, signed; 0 where there is none.

        Where a concept is used for its curve alone, the size of the curve, which has no sign; and
        where the sign depends on another concept, the size of the larger of effect and interaction.
        """
        if self.sign_depends_on:
            average = abs(self.effect.standardised) if self.effect else 0.0
            return max(average, *self.sign_depends_on.values())
        if self.dose_response and self.dose_response.decisive:
            return self.dose_response.size or 0.0
        return self.estimate.standardised if self.estimate else 0.0

    def __str__(self) -> str:
        """Return the edge as ``a o-> b``."""
        left = {"tail": "-", "arrow": "<", "circle": "o"}[self.mark_at_source]
        right = {"tail": "-", "arrow": ">", "circle": "o"}[self.mark_at_target]
        return f"{self.source} {left}-{right} {self.target}"


@dataclass(frozen=True)
class CausalGraph:
    """Concepts, predictions, and what is known of how they hang together.

    Attributes:
        nodes: concepts first, predictions after them.
        edges: what the graph asserts.
        rejected: pairs that were examined and make no edge, with the same evidence. If the twin did
            not pass its gate, these are all pairs.
        search: how the edges among concepts were found.
        intervention: how concept → prediction edges were tested; None before they were.
        interactions: pairs of concepts whose joint effect on a prediction is not the sum of theirs,
            the strongest first.
        gate: how far the twin answers as the classifier does; None in graphs of data, and in files
            of older versions.

    Raises:
        ValueError: if names are not unique or an edge names an unknown node.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    rejected: tuple[Edge, ...]
    search: SearchRecord
    intervention: InterventionRecord | None = None
    interactions: tuple[Interaction, ...] = ()
    gate: Gate | None = None

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if twice:
            raise ValueError(f"causal graph: node names must be unique, these are not: {twice}")
        named = [(str(e), {e.source, e.target}) for e in (*self.edges, *self.rejected)]
        named += [(str(i), {*i.concepts, i.prediction}) for i in self.interactions]
        for text, ends in named:
            unknown = ends - set(names)
            if unknown:
                raise ValueError(
                    f"causal graph: {text} names unknown nodes {sorted(unknown)}; there are {names}"
                )

    def node(self, name: str) -> Node:
        """Return the node called ``name``; raises ``KeyError`` naming those there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node {name!r}; there are {[node.name for node in self.nodes]}")

    def of_kind(self, *kinds: NodeKind) -> list[Node]:
        """Return the nodes of some kinds, in their order."""
        return [node for node in self.nodes if node.kind in kinds]

    def between(self, one: str, other: str) -> Edge | None:
        """Return the edge between two nodes, whichever way round it is kept, or None."""
        for edge in self.edges:
            if {edge.source, edge.target} == {one, other}:
                return edge
        return None

    def untold(self, label: str) -> frozenset[str]:
        """Return the concepts of which it cannot be told whether they matter for a prediction.

        Args:
            label: name of a class, label or number; of one that is none, nothing is known.
        """
        sinks = {node.name for node in self.of_kind("prediction") if node.label == label}
        return frozenset(
            edge.source
            for edge in (*self.edges, *self.rejected)
            if edge.target in sinks and edge.verdict == "cannot_be_told"
        )

    def with_predictions(
        self,
        nodes: tuple[Node, ...],
        edges: tuple[Edge, ...],
        rejected: tuple[Edge, ...],
        intervention: InterventionRecord,
        interactions: tuple[Interaction, ...] = (),
    ) -> "CausalGraph":
        """Return a new graph with predictions, their edges and interactions added."""
        return replace(
            self,
            nodes=self.nodes + nodes,
            edges=self.edges + edges,
            rejected=self.rejected + rejected,
            intervention=intervention,
            interactions=interactions,
        )

    def behind(self, gate: Gate) -> "CausalGraph":
        """Return the graph as it may be asserted of a twin: without any edge if it failed.

        What was found stays in ``rejected``, each verdict *cannot be told*.
        """
        if gate.passed:
            return replace(self, gate=gate)
        found = (*self.edges, *self.rejected)
        untold = tuple(
            edge if edge.verdict is None else replace(edge, verdict="cannot_be_told")
            for edge in found
        )
        return replace(self, edges=(), rejected=untold, interactions=(), gate=gate)

    def to_networkx(self) -> nx.DiGraph:
        """Return the asserted edges source → target, with what is known of each as attributes.

        All attributes are text, numbers or truth values (``scalar_attributes``), so that networkx
        writes the graph as GraphML; nodes are in their order. The direction of a networkx edge is
        only the order in which the pair is kept; what is known of the direction is in
        ``mark_at_source`` and ``mark_at_target``. Rejected pairs and interactions are left out.
        """
        graph = nx.DiGraph(**scalar_attributes(self.search, "search_"))
        if self.intervention is not None:
            graph.graph |= scalar_attributes(self.intervention, "intervention_")
        if self.gate is not None:
            graph.graph |= scalar_attributes(self.gate, "gate_")
            graph.graph["gate_passed"] = self.gate.passed
        for node in self.nodes:
            attributes = _as_xml_holds(scalar_attributes(node))
            del attributes["name"]
            graph.add_node(xml_key(node.name), **attributes)
        for edge in self.edges:
            ends = xml_key(edge.source), xml_key(edge.target)
            attributes = _as_xml_holds(scalar_attributes(edge))
            del attributes["source"], attributes["target"]
            graph.add_edge(*ends, strength=edge.strength, **attributes)
        return graph

    def to_json(self) -> str:
        """Return the graph as JSON of schema ``glance-causal-graph``, version 5."""
        body = _ADAPTER.dump_python(self, mode="json")
        return json.dumps({"schema": SCHEMA, "version": VERSION, **body}, indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "CausalGraph":
        """Read what ``to_json`` wrote.

        Raises:
            ValueError: if the text is no such JSON, or of a version unknown here.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise ValueError(f'causal graph: this JSON does not say "schema": "{SCHEMA}"')
        if content.get("version") not in READABLE:
            raise ValueError(
                f"causal graph: the file has schema version {content.get('version')!r}; "
                f"this program reads versions {READABLE[0]} to {READABLE[-1]}"
            )
        try:
            return _ADAPTER.validate_python(
                {key: content[key] for key in content.keys() - {"schema", "version"}}
            )
        except ValidationError as error:
            raise ValueError(f"causal graph: the file does not fit its schema: {error}") from error


_ADAPTER = TypeAdapter(CausalGraph)


def _as_xml_holds(attributes: dict[str, Any]) -> dict[str, Any]:
    return {k: made_visible(v) if isinstance(v, str) else v for k, v in attributes.items()}

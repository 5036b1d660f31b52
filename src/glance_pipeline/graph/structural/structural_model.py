"""Structural causal models of the concepts, one for each graph that the concept graph allows.

The causal effect of one concept on another is a range over these graphs, after IDA (Maathuis,
Kalisch, Bühlmann 2009), there with linear models and without hidden causes. An edge that a hidden
common cause may explain has no arrow in some graphs; its noise terms are taken for independent all
the same, which is the price of additive noise models fitted node by node.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glance_pipeline.config.discover import StructuralModelParameters
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.records import Falsification
from glance_pipeline.graph.structural.allowed_graphs import AllowedGraphs, allowed_graphs
from glance_pipeline.graph.structural.directed import (
    Dag,
    descendants,
    edges_into,
    families,
    on_the_way,
)
from glance_pipeline.graph.structural.mechanisms import SplineMechanism
from glance_pipeline.graph.structural.scale import from_scale, is_share, set_to, to_scale
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.concept_table import ConceptTable

if TYPE_CHECKING:
    from dowhy.gcm import InvertibleStructuralCausalModel

_LOGGER = logging.getLogger(__name__)

Mechanisms = dict[tuple[str, tuple[str, ...]], SplineMechanism]


class EffectRange(NamedTuple):
    """The effect of one concept on another over all graphs.

    Attributes:
        low: the smallest.
        high: the largest.
        by_graph: of each graph, in their order; 0 where the cause is no ancestor of the effect.
    """

    low: float
    high: float
    by_graph: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class StructuralModels:
    """Additive noise models of the concepts, one for each allowed graph.

    Values given and returned are in the units of the concept table. Concepts that are probabilities
    are modelled on the logit scale, so that what is carried over to them stays one.

    Attributes:
        nodes: names of the concepts that are modelled.
        observed: (N, nodes), in units; what the models were fitted to.
        shares: those of the nodes that are probabilities.
        allowed: the graphs.
        mechanisms: by node and its sorted causes; graphs share them.
        exclusions: reason by name of each concept that is left out.
        falsification: dowhy's test of the first graph; None if not made.
    """

    nodes: tuple[str, ...]
    observed: pd.DataFrame
    shares: tuple[str, ...]
    allowed: AllowedGraphs
    mechanisms: Mechanisms
    exclusions: dict[str, str]
    falsification: Falsification | None = None

    @classmethod
    def fit(
        cls,
        table: ConceptTable,
        graph: CausalGraph,
        settings: StructuralModelParameters,
        seed: int,
    ) -> "StructuralModels":
        """Fit a mechanism for every node and every set of causes that an allowed graph gives it.

        Args:
            table: concepts of all images.
            graph: its edges between concepts.
            settings: number of graphs, knots, extent of the falsification test.
            seed: seed of the run.

        Raises:
            ValueError: if no concept can be modelled.
        """
        exclusions = _exclusions(table)
        for name, reason in exclusions.items():
            _LOGGER.warning("Concept %r is left out of the structural models: %s.", name, reason)
        nodes = tuple(name for name in table.nodes() if name not in exclusions)
        if not nodes:
            raise ValueError(f"structural models: no concept can be modelled: {exclusions}")
        observed = table.concepts[list(nodes)].astype(np.float64).reset_index(drop=True)
        shares = tuple(
            name
            for name in nodes
            if is_share(table.concepts[name], table.kinds[name], table.units[name])
        )
        allowed = allowed_graphs(graph, nodes, settings.largest_number_of_graphs, seed)
        scaled = to_scale(observed, shares)
        mechanisms: Mechanisms = {}
        for dag in allowed.graphs:
            for node, causes in families(nodes, dag):
                if causes and (node, causes) not in mechanisms:
                    mechanisms[node, causes] = SplineMechanism.fit(
                        scaled[list(causes)].to_numpy(), scaled[node].to_numpy(), settings.knots
                    )
        falsification = _falsification(scaled, allowed.graphs[0], settings, seed)
        return cls(nodes, observed, shares, allowed, mechanisms, exclusions, falsification)

    def counterfactual(
        self, rows: pd.DataFrame, values: Mapping[str, float | np.ndarray]
    ) -> list[pd.DataFrame]:
        """Say what the concepts of some images had been, had some of them been others.

        Args:
            rows: concept values of N images in units, with one column for each node.
            values: what concepts are set to, in units: one number for all images or (N,).

        Returns:
            For each graph, N rows with the columns of ``rows``: as given, but for the concepts that
            were set and their descendants.

        Raises:
            ValueError: if a concept is not modelled, or a column is missing.
        """
        self._check(values)
        missing = [name for name in self.nodes if name not in rows]
        if missing:
            raise ValueError(
                f"structural models: found columns {list(rows)}; {missing} are wanted as well"
            )
        given = rows.astype(dict.fromkeys(self.nodes, np.float64)).reset_index(drop=True)
        for name, value in values.items():
            given[name] = value
        own = to_scale(rows[list(self.nodes)].reset_index(drop=True), self.shares)
        action = set_to(given[list(values)], self.shares)
        found: dict[Dag, pd.DataFrame] = {}
        for index, dag in enumerate(self.allowed.graphs):
            follow = descendants(dag, values)
            key = edges_into(dag, follow)
            if key not in found:
                predicted = self._predicted(index, own, action) if follow else given
                found[key] = given.assign(**{name: predicted[name] for name in follow})
        return [
            found[edges_into(dag, descendants(dag, values))].set_index(rows.index)
            for dag in self.allowed.graphs
        ]

    def intervene(self, values: Mapping[str, float], number: int, seed: int) -> list[pd.DataFrame]:
        """Draw images' concepts from the distribution under do(values).

        Args:
            values: what concepts are set to, in units.
            number: number of rows to draw from each graph's model.
            seed: seed of the run.

        Returns:
            For each graph, ``number`` rows with one column for each node, in units.

        Raises:
            ValueError: if a concept is not modelled.
        """
        from glance_pipeline.graph.structural.gcm import interventional

        self._check(values)
        action = set_to(pd.DataFrame(values, index=[0]), self.shares).iloc[0]
        drawn = [
            interventional(
                self._model(k), dict(action), number, seed, "structural model", "draws", k
            )
            for k in range(len(self.allowed.graphs))
        ]
        frames = [from_scale(frame[list(self.nodes)], self.shares) for frame in drawn]
        return [frame.assign(**values) for frame in frames]

    def effects(self, cause: str, effect: str) -> EffectRange:
        """Return the average change of ``effect`` for one standard deviation of ``cause``.

        Half of the difference between do(own value + 1 sd) and do(own value − 1 sd), its
        descendants following, averaged over all observed images. The standard deviation of a
        probability is that of its logit.

        Returns:
            Range over the graphs, in the unit of ``effect``.

        Raises:
            ValueError: if one of them is not modelled, or both are the same.
        """
        self._check({cause: 0.0, effect: 0.0})
        if cause == effect:
            raise ValueError(
                f"structural models: {cause!r} is both cause and effect; two are wanted"
            )
        scaled = to_scale(self.observed, self.shares)
        step = float(scaled[cause].std(ddof=0))
        found: dict[Dag, float] = {(): 0.0}
        keys = []
        for index, dag in enumerate(self.allowed.graphs):
            keys.append(edges_into(dag, on_the_way(dag, cause, effect)))
            if keys[-1] not in found:
                sides = [
                    self._predicted(index, scaled, pd.DataFrame({cause: moved}))[effect]
                    for moved in (scaled[cause] + step, scaled[cause] - step)
                ]
                found[keys[-1]] = float((sides[0] - sides[1]).mean() / 2)
        by_graph = tuple(found[key] for key in keys)
        return EffectRange(min(by_graph), max(by_graph), by_graph)

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all arrays by name, float64, and everything else as a JSON-able header."""
        tensors = {"observed": torch.from_numpy(self.observed.to_numpy(np.float64).copy())}
        for index, mechanism in enumerate(self.mechanisms.values()):
            tensors[f"mechanism.{index}.knots"] = torch.from_numpy(mechanism.knots)
            tensors[f"mechanism.{index}.coefficients"] = torch.from_numpy(mechanism.coefficients)
            tensors[f"mechanism.{index}.intercept"] = torch.tensor(
                mechanism.intercept, dtype=torch.float64
            )
        return tensors, {
            "nodes": self.nodes,
            "shares": self.shares,
            "allowed": asdict(self.allowed),
            "mechanisms": list(self.mechanisms),
            "exclusions": self.exclusions,
            "falsification": asdict(self.falsification) if self.falsification else None,
        }

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> "StructuralModels":
        """Build the models that ``to_weights`` described; nothing is fitted anew."""
        falsification = None
        if header["falsification"]:
            falsification = Falsification(**header["falsification"])
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        allowed = header["allowed"]
        return cls(
            nodes=tuple(header["nodes"]),
            observed=pd.DataFrame(arrays["observed"], columns=list(header["nodes"])),
            shares=tuple(header["shares"]),
            allowed=AllowedGraphs(
                tuple(tuple((a, b) for a, b in dag) for dag in allowed["graphs"]),
                allowed["complete"],
                tuple(allowed["notes"]),
            ),
            mechanisms={
                (node, tuple(causes)): SplineMechanism(
                    arrays[f"mechanism.{index}.knots"],
                    arrays[f"mechanism.{index}.coefficients"],
                    float(arrays[f"mechanism.{index}.intercept"]),
                )
                for index, (node, causes) in enumerate(header["mechanisms"])
            },
            exclusions=header["exclusions"],
            falsification=falsification,
        )

    def _model(self, index: int) -> "InvertibleStructuralCausalModel":
        """Return dowhy's model of one graph; it is made when first asked for."""
        if index not in self._made:
            from glance_pipeline.graph.structural.gcm import structural_causal_model

            scaled = to_scale(self.observed, self.shares)
            self._made[index] = structural_causal_model(
                self.nodes, self.allowed.graphs[index], self.mechanisms, scaled
            )
        return self._made[index]

    @cached_property
    def _made(self) -> "dict[int, InvertibleStructuralCausalModel]":
        return {}

    def _predicted(self, index: int, scaled: pd.DataFrame, action: pd.DataFrame) -> pd.DataFrame:
        """Return counterfactual values in units; what is given is on the models' scale."""
        from glance_pipeline.graph.structural.gcm import counterfactual

        return from_scale(counterfactual(self._model(index), scaled, action), self.shares)

    def _check(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self.nodes]
        if unknown:
            reasons = {name: self.exclusions.get(name, "no such concept") for name in unknown}
            raise ValueError(
                f"structural models: {reasons} cannot be set; one of {list(self.nodes)} is wanted"
            )


def _falsification(
    scaled: pd.DataFrame, dag: Dag, settings: StructuralModelParameters, seed: int
) -> Falsification | None:
    """Return the test of one graph, None if it is not asked for or there is nothing to test."""
    if not settings.permutations or not dag:
        return None
    from glance_pipeline.graph.structural.gcm import falsify

    generator = numpy_generator(seed, "structural model", "rows")
    chosen = generator.permutation(len(scaled))[: settings.falsification_rows]
    return falsify(tuple(map(str, scaled)), dag, scaled.iloc[chosen], settings.permutations, seed)


def _exclusions(table: ConceptTable) -> dict[str, str]:
    """Return why a node of the table takes no part, by name."""
    exclusions = {}
    for name, columns in table.nodes().items():
        if table.levels(name):
            exclusions[name] = "a categorical feature, which has no additive noise"
        elif np.ptp(table.concepts[columns[0]].to_numpy(np.float64)) == 0:
            exclusions[name] = "constant"
    return exclusions

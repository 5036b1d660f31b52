"""The causal effect: change concepts, and let what they cause follow.

What follows does so through the structural causal model of one directed graph: abduction, action,
prediction (Pearl 2009, 7.1). With additive noise that is u_d + f_d(new causes) − f_d(old causes) in
topological order, on the scale of the models: units, or the logits of probabilities. The numbers
are those of ``StructuralModels.counterfactual``, which asks dowhy; here they come in batches, with
gradients.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import networkx as nx
import torch
from torch import Tensor

from glance_pipeline.config.explain import Effect
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.graph.structural.differentiable import TorchMechanism
from glance_pipeline.graph.structural.directed import Dag, digraph, families
from glance_pipeline.graph.structural.scale import LABEL, LEAST
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.twin.networks import Codes, Concept, TwinSurrogate
from glance_pipeline.twin.networks.concept import CERTAINTY


def choose_interventions(
    effect: Effect, surrogate: TwinSurrogate, models: StructuralModels | None
) -> tuple[Intervention, ...]:
    """Return the rules by which codes answer: the one to be used, and others to compare with.

    Args:
        effect: ``direct`` or ``causal``.
        surrogate: whose codes they are.
        models: models of its concepts; only needed for ``causal``.

    Returns:
        One rule for ``direct``; for ``causal`` one for each allowed graph, in the models' order.

    Raises:
        ValueError: if ``causal`` is asked for and no concept is modelled, or the models are
            those of another surrogate.
    """
    if effect == "direct":
        return (DirectIntervention(surrogate),)
    if models is None or not models.nodes:
        left_out = f" ({models.exclusions})" if models is not None and models.exclusions else ""
        raise ValueError(
            "explain.effect: causal lets concepts follow their causes through structural models, "
            f"and no concept is modelled{left_out}; a concept that the discover pipeline could "
            "model is wanted, or explain.effect: direct"
        )
    mechanisms = {key: TorchMechanism.of(fitted) for key, fitted in models.mechanisms.items()}
    return tuple(
        CausalIntervention(surrogate, models, dag, mechanisms) for dag in models.allowed.graphs
    )


class CausalIntervention:
    """The causal effect along one directed graph.

    A concept that is set stays as it is set. Where it is not set it follows its causes like any
    other, in each image by itself. What has no model, a categorical feature or a constant, is held.

    Args:
        surrogate: whose codes they are.
        models: models of its concepts.
        graph: one of ``models.allowed.graphs``; by default the first.
        mechanisms: those of the models, where they are at hand in torch.

    Raises:
        ValueError: if the surrogate has no such concepts.
    """

    effect: Effect = "causal"

    def __init__(
        self,
        surrogate: TwinSurrogate,
        models: StructuralModels,
        graph: Dag | None = None,
        mechanisms: Mapping[tuple[str, tuple[str, ...]], TorchMechanism] | None = None,
    ) -> None:
        missing = [name for name in models.nodes if name not in surrogate.active_concepts]
        if missing:
            raise ValueError(
                f"structural models: found models of {missing}; concepts of the surrogate are "
                f"wanted, {surrogate.active_concepts}: they belong to another surrogate; run the "
                "discover pipeline again"
            )
        self._surrogate = surrogate
        self.graph = models.allowed.graphs[0] if graph is None else graph
        arrows = digraph(models.nodes, self.graph)
        self._order = list(nx.lexicographical_topological_sort(arrows))
        self._below = {name: frozenset(nx.descendants(arrows, name)) for name in models.nodes}
        self._causes = dict(families(models.nodes, self.graph))
        self._mechanisms = {
            name: mechanisms[name, causes]
            if mechanisms is not None
            else TorchMechanism.of(models.mechanisms[name, causes])
            for name, causes in self._causes.items()
            if causes
        }
        self._scales = {
            name: _Scale(surrogate.concept(name), name in models.shares) for name in models.nodes
        }

    def followers(self, names: Iterable[str]) -> frozenset[str]:
        """Return the concepts that follow where ``names`` are set, some of these among them."""
        return frozenset().union(*(self._below.get(name, frozenset()) for name in names))

    def identity(self) -> dict[str, Any]:
        """Return its effect, its graph and the mechanisms along it."""
        fitted = {
            f"{name}.{part}": value
            for name, mechanism in self._mechanisms.items()
            for part, value in asdict(mechanism).items()
        }
        return {"effect": self.effect, "graph": self.graph, **fitted}

    def __call__(
        self,
        codes: Codes,
        values: Mapping[str, Tensor],
        moved: Mapping[str, Tensor] | None = None,
    ) -> Codes:
        """Return new codes of the same images, with the descendants of what is set moved along.

        See ``Intervention``. A probability that is set counts, for what it causes, as that of a
        label at most, or as its own where that is further out.
        """
        moved = moved or {}
        follow = self.followers(values)
        concepts = {name: self._surrogate.read(codes, name) for name in self._order}
        before = {name: self._scales[name].of(code) for name, code in concepts.items()}
        after, found = dict(before), dict(values)
        for name in self._order:
            given, rows = values.get(name), moved.get(name)
            if given is not None and (rows is None or name not in follow):
                after[name] = self._scales[name].set_to(given, before[name])
            elif name in follow:
                found[name], after[name] = self._follow(
                    name, concepts[name], given, rows, before, after
                )
        unmodelled = {name: rows for name, rows in moved.items() if name not in self._scales}
        return self._surrogate.intervene(codes, found, unmodelled)

    def _follow(
        self,
        name: str,
        own: Tensor,
        given: Tensor | None,
        rows: Tensor | None,
        before: Mapping[str, Tensor],
        after: Mapping[str, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Return what a concept becomes, as a code and on the models' scale, (N,) each.

        Args:
            name: name of the concept.
            own: its codes, (N,).
            given: what it is set to in the images ``rows``, elsewhere its own codes again, which
                gradients then flow from.
            rows: bool (N,), where it is set.
            before: all concepts on the models' scale, as they were.
            after: those that come earlier in the order, as they have become.
        """
        causes, mechanism, scale = self._causes[name], self._mechanisms[name], self._scales[name]
        old, new = (torch.stack([found[cause] for cause in causes], 1) for found in (before, after))
        start = own if given is None else given
        code = scale.shifted(start, mechanism(new) - mechanism(old)).to(own.dtype)
        if given is None or rows is None:
            return code, scale.of(code)
        chosen = scale.set_to(given, before[name])
        return torch.where(rows, given, code), torch.where(rows, chosen, scale.of(code))


@dataclass(frozen=True)
class _Scale:
    """A concept's codes, float (N,), and its values on the scale of the models, float64 (N,)."""

    concept: Concept
    share: bool

    def of(self, codes: Tensor) -> Tensor:
        """Bring codes onto the scale."""
        units = self.concept.to_units(codes.double())
        return units.clamp(LEAST, 1 - LEAST).logit() if self.share else units

    def set_to(self, codes: Tensor, own: Tensor) -> Tensor:
        """Bring codes that are set onto the scale: a yes is a label's, or the ``own`` further out.

        Args:
            codes: (N,).
            own: values on the scale before, (N,).
        """
        values = self.of(codes)
        if not self.share:
            return values
        label = torch.tensor(LABEL, dtype=values.dtype).logit()
        return values.clamp(torch.minimum(own, label), torch.maximum(own, -label))

    def shifted(self, codes: Tensor, shift: Tensor) -> Tensor:
        """Return codes, float64, of values that are ``shift`` more on the scale.

        Where the scale is linear in the code, so is this, and a shift of 0 changes nothing.
        """
        if self.concept.measure == "continuous" and not self.share:
            return codes + shift / self.concept.std
        if self.concept.measure == "binary" and self.share:
            return codes + shift / (2 * CERTAINTY * self.concept.std)
        values = self.of(codes) + shift
        units = values.sigmoid() if self.share else values
        return torch.where(shift == 0, codes.double(), self.concept.standardise(units))

"""What a user knows of causes beforehand."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

Pair = tuple[str, str]

_KEY = "discover.knowledge"


class Knowledge(BaseModel):
    """Background knowledge on the nodes of the causal graph, checked for contradictions.

    Attributes:
        required: pairs [cause, effect]: the first causes the second, and the graph has that edge
            whatever the data say.
        forbidden: pairs [cause, effect]: the first does not cause the second, nor through others.
        tiers: lists of names, the earliest first: none of a later tier causes one of an earlier.
            Names in no tier may stand anywhere.

    Raises:
        ValueError: if a name is in two tiers, a pair names one node twice, required causes run
            in a circle, or a required pair or a chain of them is forbidden, by name or by tiers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    required: tuple[Pair, ...] = Field(())
    forbidden: tuple[Pair, ...] = Field(())
    tiers: tuple[tuple[str, ...], ...] = Field(())

    @property
    def names(self) -> set[str]:
        """Every name that is spoken of."""
        return {name for group in (*self.required, *self.forbidden, *self.tiers) for name in group}

    def tier_of(self) -> dict[str, int]:
        """Return the number of each tiered name's tier, counted from 1."""
        return {name: k for k, tier in enumerate(self.tiers, 1) for name in tier}

    def prohibition(self, cause: str, effect: str) -> str:
        """Say what forbids ``cause`` to cause ``effect``; empty if nothing does."""
        if (cause, effect) in self.forbidden:
            return f"{_KEY}.forbidden holds [{cause}, {effect}]"
        tier = self.tier_of()
        if cause in tier and effect in tier and tier[cause] > tier[effect]:
            return (
                f"{_KEY}.tiers puts {cause!r} in tier {tier[cause]}, "
                f"after {effect!r} in tier {tier[effect]}"
            )
        return ""

    @model_validator(mode="after")
    def _is_free_of_contradictions(self) -> "Knowledge":
        self._check_tiers_and_pairs()
        self._check_required()
        return self

    def _check_tiers_and_pairs(self) -> None:
        tiered = [name for tier in self.tiers for name in tier]
        twice = sorted({name for name in tiered if tiered.count(name) > 1})
        if twice:
            raise ValueError(
                f"{_KEY}.tiers: {twice} are named twice; wanted: each name in one tier, once"
            )
        for key, pairs in (("required", self.required), ("forbidden", self.forbidden)):
            for cause, effect in pairs:
                if cause == effect:
                    raise ValueError(
                        f"{_KEY}.{key}: [{cause}, {effect}] names one node twice; "
                        "wanted: [cause, effect], two nodes"
                    )

    def _check_required(self) -> None:
        import networkx as nx

        graph = nx.DiGraph(self.required)
        try:
            circle = [cause for cause, _ in nx.find_cycle(graph)]
        except nx.NetworkXNoCycle:
            circle = []
        if circle:
            raise ValueError(
                f"{_KEY}.required: {' → '.join([*circle, circle[0]])} is a circle; "
                "wanted: causes that do not come back to themselves"
            )
        for cause in graph:
            for effect, chain in nx.single_source_shortest_path(graph, cause).items():
                prohibition = "" if cause == effect else self.prohibition(cause, effect)
                if prohibition:
                    raise ValueError(
                        f"{_KEY}.required: {' → '.join(chain)} makes {cause!r} a cause of "
                        f"{effect!r}, but {prohibition}; wanted: one or the other"
                    )

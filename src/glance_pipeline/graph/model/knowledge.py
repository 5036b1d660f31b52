"""The user's background knowledge as marks of a graph, and in words."""

from dataclasses import dataclass

import numpy as np

from glance_pipeline.config.background_knowledge import Knowledge

TAIL, ARROW, CIRCLE = -1, 1, 2


@dataclass(frozen=True)
class Facts:
    """What is known of L nodes, with everything that follows from it.

    Attributes:
        causes: bool (L, L): i causes j, directly or through others.
        not_causes: bool (L, L): i does not cause j.
        required: bool (L, L): i – j is an edge, whatever the data say, and i causes j.
    """

    causes: np.ndarray
    not_causes: np.ndarray
    required: np.ndarray

    def marks(self) -> np.ndarray:
        """Return known marks, int8 (L, L): of the edge i – j at j, 0 where it is not known."""
        marks = np.zeros(self.causes.shape, np.int8)
        marks[self.not_causes.T] = ARROW
        marks[self.causes.T] = TAIL
        return marks


def facts_of(knowledge: Knowledge, names: list[str]) -> Facts:
    """Return what ``knowledge`` says of ``names``, closed under what follows.

    Causes of causes are causes. Where x does not cause y, no effect of x causes y, and x causes
    no cause of y. And no effect causes its cause.

    Args:
        knowledge: free of contradictions, as its constructor makes sure.
        names: names of the nodes that are searched; knowledge that passes through others counts
            too.
    """
    everyone = [*names, *sorted(knowledge.names - set(names))]
    index = {name: k for k, name in enumerate(everyone)}
    required = np.zeros((len(everyone),) * 2, bool)
    for cause, effect in knowledge.required:
        required[index[cause], index[effect]] = True
    reaches = np.eye(len(everyone), dtype=bool)
    for _ in everyone:
        reaches = reaches | (reaches @ required)
    causes = reaches & ~np.eye(len(everyone), dtype=bool)
    prohibited = np.array(
        [[bool(knowledge.prohibition(one, other)) for other in everyone] for one in everyone]
    )
    not_causes = (reaches.T @ prohibited @ reaches.T) | causes.T
    searched = slice(0, len(names))
    return Facts(*(matrix[searched, searched] for matrix in (causes, not_causes, required)))


def check_names(knowledge: Knowledge, names: list[str]) -> None:
    """Raise a ``ValueError`` where ``knowledge`` speaks of what is none of ``names``."""
    for key in ("required", "forbidden", "tiers"):
        spoken = {name for group in getattr(knowledge, key) for name in group}
        if spoken - set(names):
            raise ValueError(
                f"discover.knowledge.{key}: {sorted(spoken - set(names))} are no concepts of the "
                f"graph; wanted: names among {names}"
            )


def sentences(knowledge: Knowledge) -> tuple[str, ...]:
    """Return everything the user knows, a sentence an item."""
    lines = [f"Required: {cause} causes {effect}." for cause, effect in knowledge.required]
    lines += [
        f"Forbidden: {cause} does not cause {effect}." for cause, effect in knowledge.forbidden
    ]
    if knowledge.tiers:
        order = ", then ".join(" and ".join(tier) for tier in knowledge.tiers)
        lines.append(f"Tiers: {order}; nothing later causes anything earlier.")
    return tuple(lines)


def words(facts: Facts, names: list[str], one: str, other: str) -> str:
    """Say what is known of a pair of nodes; empty if nothing. ``names`` are those of ``facts``."""
    said = []
    i, j = names.index(one), names.index(other)
    for cause, effect in ((i, j), (j, i)):
        if facts.required[cause, effect]:
            said.append(f"required: {names[cause]} causes {names[effect]}")
        elif facts.causes[cause, effect]:
            said.append(f"follows from what is required: {names[cause]} causes {names[effect]}")
        elif facts.not_causes[cause, effect] and not facts.causes[effect, cause]:
            said.append(f"known: {names[cause]} does not cause {names[effect]}")
    return "; ".join(said)


def add_required(marks: np.ndarray, facts: Facts) -> np.ndarray:
    """Return marks with the required edges that a search did not find.

    Such an edge has had no test, so the rules that rest on separating sets pass it by. Two rules
    need no tests, since they speak of causes alone, and are followed to their end: R2 (an arrowhead
    at c on a *-> c where a → b *-> c or a *-> b → c) and R8 (a tail at a where a → b → c) of Zhang
    (2008).

    Args:
        marks: int8 (L, L), as ``search`` has them.
        facts: the user's background knowledge.
    """
    missing = facts.required & (marks == 0)
    if not missing.any():
        return marks
    marks = marks.copy()
    marks[missing] = ARROW
    marks.T[missing] = TAIL
    while True:
        into = marks == ARROW
        directed = into & (marks.T == TAIL)
        through = (directed @ into) | (into @ directed)
        arrows = (marks == CIRCLE) & through
        tails = (marks == CIRCLE) & (directed @ directed).T & into.T
        if not (arrows.any() or tails.any()):
            return marks
        marks[arrows] = ARROW
        marks[tails & ~arrows] = TAIL

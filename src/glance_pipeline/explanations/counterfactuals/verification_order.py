"""In which order proposals are shortened and verified, and which are spared it."""

from collections.abc import Sequence

from torch import Tensor

from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape


def in_turn(
    landscape: Landscape, proposed: Candidates, lead: Tensor
) -> tuple[Candidates, list[list[int]]]:
    """Ask the teacher about the proposals at full length and put in turn what it agrees to.

    Args:
        landscape: landscape of N images.
        proposed: changes of any of them.
        lead: of the wanted class before any change, (N,).

    Returns:
        The proposals that hold, and each image's rows of them: fewest concepts first, then those
        that will probably be shortest, if the lead rises evenly from ``lead``, (N,), on.
    """
    after = landscape.leads(proposed)
    proposed, after = proposed[after > ENOUGH], after[after > ENOUGH]
    before = lead[proposed.owner]
    needed = (ENOUGH - before) / (after - before).clamp_min(ENOUGH)
    length = (proposed.moves.abs().sum(1) * needed).tolist()
    count = proposed.moved.sum(1).tolist()
    queues: list[list[int]] = [[] for _ in lead]
    for row, image in enumerate(proposed.owner.tolist()):
        queues[image].append(row)
    return proposed, [sorted(q, key=lambda row: (count[row], length[row])) for q in queues]


def next_of(queue: list[int], moved: Tensor, sets: Sequence[Tensor], number: int) -> list[int]:
    """Take up to ``number`` rows off one image's queue whose sets of concepts hold no other's.

    Args:
        queue: rows that have not had their turn; changed in place. What holds one of ``sets`` is
            dropped; what holds one that is taken now waits for the verdict on that.
        moved: which concepts each row moves, bool (R, D).
        sets: what the counterfactuals kept so far move, bool (D,) each.
        number: how many more are wanted.
    """
    taken: list[int] = []
    waiting: list[int] = []
    for row in queue if number > 0 else []:
        if any(bool((moved[row] >= other).all()) for other in sets):
            continue
        if len(taken) < number and not any(
            bool((moved[row] >= moved[other]).all()) for other in taken
        ):
            taken.append(row)
        else:
            waiting.append(row)
    queue[:] = waiting
    return taken

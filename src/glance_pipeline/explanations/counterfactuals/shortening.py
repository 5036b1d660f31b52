"""Changes made sparse and short for as long as the teacher agrees."""

import torch

from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape


def drop_needless(landscape: Landscape, candidates: Candidates) -> Candidates:
    """Take back one concept after the other for as long as the teacher probably still agrees.

    Greedy: whichever move, taken back, leaves the largest lead goes first. The strategies leave out
    of larger sets what suffices alone at a bound, so of two concepts both are taken to be needed.
    """
    moves = candidates.moves.clone()
    active = (candidates.moved.sum(1) > 2).nonzero().flatten()
    while len(active):
        row, column = (moves[active] != 0).nonzero(as_tuple=True)
        trial = Candidates(candidates.owner[active][row], moves[active][row])
        trial.moves[torch.arange(len(row)), column] = 0.0
        lead = torch.full((len(active), landscape.size), -torch.inf)
        lead[row, column] = landscape.estimates(trial)
        best, drop = lead.max(1)
        active, drop = active[best > ENOUGH], drop[best > ENOUGH]
        moves[active, drop] = 0.0
        active = active[(moves[active] != 0).sum(1) > 2]
    return Candidates(candidates.owner, moves)


def shrink(landscape: Landscape, candidates: Candidates, halvings: int) -> Candidates:
    """Shorten changes that hold, each as a whole, by bisection.

    Args:
        landscape: landscape of the images.
        candidates: to whose pictures the teacher says what is wanted.
        halvings: n of them end within 2⁻ⁿ of a length that no longer suffices; more where the goals
            ask for them.

    Returns:
        The changes at the shortest length seen at which the teacher, asked about the picture as it
        is saved, says what is wanted.
    """
    fails = torch.zeros(len(candidates), 1)
    holds = torch.ones_like(fails)
    for _ in range(max(halvings, landscape.goals.halvings)):
        middle = (fails + holds) / 2
        there = landscape.leads(Candidates(candidates.owner, candidates.moves * middle)) > ENOUGH
        holds = torch.where(there[:, None], middle, holds)
        fails = torch.where(there[:, None], fails, middle)
    return Candidates(candidates.owner, candidates.moves * holds)

"""Diverse counterfactuals in the surrogate's concepts, and how much each concept moves in them.

Mothilal et al. 2020 (arXiv 1905.07697, equation 4): of every image, K changes are sought together
by gradients, with a hinge loss on the teacher's answer, the distance from the image, and the
determinant of K_ij = 1 / (1 + distance of changes i and j) for diversity. What a change does not
need is then taken back, the smallest move first (their sparsity after the search). Distances are
L1, averaged over the concepts, each in standard deviations of its code over the images.
"""

import torch
from torch import Tensor

from benchmarks.glassbox.explainers.question import Question
from glance_pipeline.explanations.counterfactuals.landscape import ENOUGH, Candidates, Landscape
from glance_pipeline.support.seeding import torch_generator

IMAGES = 24
"""Held-out images that counterfactuals are sought of, at most."""

CHANGES = 4
"""Counterfactuals of an image."""

STEPS = 40
RATE = 0.1
PROXIMITY = 0.5
DIVERSITY = 1.0
"""Weights of the paper's loss, as it has them."""


def sizes_by_dice(question: Question) -> dict[str, float]:
    """Return how far every concept moves in the counterfactuals found, on average.

    Args:
        question: what is asked.

    Returns:
        By active concept, latent ones among them, in standard deviations of its code; 0 for all
        where nothing is found.
    """
    landscape = question.landscape_of_other_class(IMAGES)
    scale = landscape.values.std(0).clamp_min(1e-6)
    images = landscape.goals.searched.nonzero().flatten()
    found = _search(landscape, images, scale, question.seed)
    found = found[landscape.estimates(found) > ENOUGH]
    moves = _without_needless(landscape, found, scale).moves / scale
    sizes = moves.abs().sum(0) / max(len(moves), 1)
    return dict(zip(landscape.names, sizes.tolist(), strict=True))


def loss_beside_answer(moves: Tensor) -> Tensor:
    """Return distance less diversity, weighted, summed over images.

    Args:
        moves: of N images, (N, K, D), in standard deviations.
    """
    distances = moves.abs().mean(2)
    between = (moves[:, :, None] - moves[:, None]).abs().mean(3)
    diversity = torch.linalg.det(1 / (1 + between))
    return (PROXIMITY * distances.mean(1) - DIVERSITY * diversity).sum()


def _search(landscape: Landscape, images: Tensor, scale: Tensor, seed: int) -> Candidates:
    """Return ``CHANGES`` changes of each of N images, (N · K, D), whether they suffice or not."""
    owner = images.repeat_interleave(CHANGES)
    generator = torch_generator(seed, "glassbox", "dice")
    lowest, highest = landscape.bounds_of(owner).div(scale).unbind(1)
    drawn = torch.rand(len(owner), landscape.size, generator=generator)
    moves = (lowest + drawn * (highest - lowest)).requires_grad_(True)
    optimiser = torch.optim.Adam([moves], RATE)
    for _ in range(STEPS):
        lead, slope = landscape.slopes(Candidates(owner, moves.detach() * scale))
        with torch.enable_grad():
            beside = loss_beside_answer(moves.view(len(images), CHANGES, -1))
            (gradient,) = torch.autograd.grad(beside, moves)
        # The hinge max(0, 1 − lead), averaged over the changes of an image.
        moves.grad = gradient - (lead < 1)[:, None] * slope * scale / CHANGES
        optimiser.step()
        with torch.no_grad():
            moves.copy_(moves.clamp(lowest, highest))
    return Candidates(owner, moves.detach() * scale)


def _without_needless(landscape: Landscape, found: Candidates, scale: Tensor) -> Candidates:
    """Take back moves, the smallest first, wherever the teacher still gives the other class."""
    moves = found.moves.clone()
    order = (moves / scale).abs().argsort(1)
    rows = torch.arange(len(found))
    for place in range(landscape.size):
        trial = moves.clone()
        trial[rows, order[:, place]] = 0.0
        holds = landscape.estimates(Candidates(found.owner, trial)) > ENOUGH
        moves[holds] = trial[holds]
    return Candidates(found.owner, moves)

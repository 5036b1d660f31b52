"""What is held when an aligned concept is moved: what the aligned concepts do not tell.

A latent concept or a residual dimension may be redefined by adding any function of the aligned
concepts, and the picture of an intervention depends on that choice. Here it is made: latent
concepts and residual code have nothing that the aligned concepts tell beyond what measured
properties beside them tell (``accompanying.py``); without such properties they are uncorrelated
with the aligned concepts. The residual code is uncorrelated with the latent concepts, and the
latent concepts with each other, so that two that said the same are one. Of
the rotations that are left, the one is taken in which each latent concept has answers of its own:
the directions in which the logits are regressed on the latent code (reduced-rank regression,
Izenman 1975), rotated by varimax (Kaiser 1958). What the answers do not need comes after them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.twin.basis.accompanying import Accompanying
from glance_pipeline.twin.basis.linear_change import LinearChange, with_code_changed
from glance_pipeline.twin.networks import Codes, TwinSurrogate

_SMALLEST_DIRECTION = 0.1
"""Share of the strongest direction's singular value from which on a direction has answers."""

_SMALLEST_VARIANCE = 1e-4
"""Share of the largest variance below which a latent direction is nothing but rounding."""


_MOST_OUTPUTS = 500


@dataclass(frozen=True)
class Told:
    """What is known of N training images when the rest of their code is settled.

    Attributes:
        codes: theirs.
        logits: the teacher's, (N, K).
        weights: under which the context features are independent, (N,).
        beside: what goes with the aligned concepts by accident; None where nothing is measured.
    """

    codes: Codes
    logits: Tensor
    weights: Tensor
    beside: Accompanying | None = None

    def own(self, count: int) -> Tensor:
        """Return what each of the first ``count`` concepts has of its own, centred, (N, count)."""
        aligned, share = self.codes.concepts[:, :count].double(), self.weights / self.weights.sum()
        if self.beside is not None:
            aligned = aligned - self.beside.tell(aligned, self.weights)
        return aligned - share.double() @ aligned


def settle_the_rest(surrogate: TwinSurrogate, told: Told) -> TwinSurrogate:
    """Return a surrogate that draws and answers the same, whose latents and residual are settled.

    Aligned concepts stay what they are. Latent concepts have mean 0 and variance 1 over the
    weighted images; the residual code keeps its scale.

    Args:
        surrogate: after a change of basis, or after training.
        told: training images.
    """
    z = torch.cat([told.codes.concepts, told.codes.residual], 1).double()
    aligned = [concept for concept in surrogate.concepts if concept.kind == "aligned"]
    count, concepts, width = len(aligned), surrogate.shape.concepts, z.shape[1]
    weights = told.weights.double() / told.weights.sum()
    mean = weights @ z
    centred = z - mean
    covariance = centred.T @ (weights[:, None] * centred)
    told_part, latent, residual = (
        slice(0, count),
        slice(count, concepts),
        slice(concepts, width),
    )
    basis = torch.eye(width, dtype=z.dtype)
    if count:
        weighted = weights[:, None] * told.own(count)
        # The levels of a categorical feature add up: of all solutions the smallest.
        inverse_own = torch.linalg.pinv(centred[:, told_part].T @ weighted, rtol=1e-8)
        basis[count:, told_part] = -(centred[:, count:].T @ weighted) @ inverse_own
    covariance = basis @ covariance @ basis.T
    if concepts > count:
        turned = torch.eye(width, dtype=z.dtype)
        turned[latent, latent] = _latent_directions(
            covariance[latent, latent], (centred @ basis.T)[:, latent], told.logits, weights
        )
        covariance = turned @ covariance @ turned.T
        held = torch.eye(width, dtype=z.dtype)
        held[residual, latent] = -_slopes(covariance, latent, residual)
        basis = held @ turned @ basis
    offset = mean.clone()
    offset[count:] = 0.0  # aligned concepts keep their mean, the rest gets mean 0
    offset = offset - basis @ mean
    inverse = torch.linalg.inv(basis)
    change = LinearChange(basis, offset, inverse, list(range(count, width)))
    return with_code_changed(surrogate, change, aligned)


def _slopes(covariance: Tensor, of: slice, on: slice) -> Tensor:
    """Return the regression of the dimensions ``on`` on the dimensions ``of``, (on, of)."""
    return covariance[on, of] @ torch.linalg.pinv(covariance[of, of], hermitian=True, rtol=1e-8)


def _latent_directions(
    covariance: Tensor, latent: Tensor, logits: Tensor, weights: Tensor
) -> Tensor:
    """Return the rows (L, L) that make of latent codes whitened ones, those with answers first.

    Args:
        covariance: of the latent codes, (L, L).
        latent: the codes, centred, (N, L).
        logits: of those images, (N, K).
        weights: of those images, (N,), of sum 1.
    """
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp_min(_SMALLEST_VARIANCE * values.max().clamp_min(1e-12))
    whiten = (vectors / values.sqrt()) @ vectors.T
    answers = logits.double() - logits.double().mean(1, keepdim=True)
    if answers.shape[1] == 1:  # one number, whose mean over outputs is itself
        answers = logits.double()
    answers = answers - weights @ answers
    loadings = (latent @ whiten).T @ (weights[:, None] * answers)
    # Of K outputs there may be thousands, of latent concepts there are a few.
    squares, directions = torch.linalg.eigh(loadings @ loadings.T)
    sizes, left = squares.clamp_min(0).sqrt().flip(0), directions.flip(1)
    rank = int((sizes >= _SMALLEST_DIRECTION * sizes.max().clamp_min(1e-12)).sum())
    turn = _varimax((left[:, :rank].T @ loadings).T.numpy())
    used = left[:, :rank] @ torch.as_tensor(turn)
    strength = used.T @ loadings
    order = strength.norm(dim=1).argsort(descending=True)
    largest = strength.gather(1, strength.abs().argmax(1, keepdim=True))[:, 0]
    used = (used * largest.sign())[:, order]
    return torch.cat([used, left[:, rank:]], 1).T @ whiten


def _varimax(loadings: np.ndarray) -> np.ndarray:
    """Return the rotation (R, R) of loadings (K, R) after which each is large for few outputs.

    Of more than ``_MOST_OUTPUTS`` outputs none: the library holds a matrix of K × K.
    """
    from statsmodels.multivariate.factor_rotation import rotate_factors  # a second to import

    if min(loadings.shape) < 2 or not 3 <= len(loadings) <= _MOST_OUTPUTS:
        return np.eye(loadings.shape[1])
    return rotate_factors(loadings, "varimax")[1]

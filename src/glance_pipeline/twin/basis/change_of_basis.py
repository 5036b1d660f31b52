"""The exact change of basis that alignment starts from: rotate the code towards the context.

Where B, the directions of the context features in the code, comes from is a choice. ``regression``:
the ridge regression of the context on the whole code, which makes as many residual dimensions
redundant (found by pivoted QR). ``assignment``: for each feature the one dimension of u or n that
goes best with it by |Spearman|, its sign turned to the feature's and its scale to 1, which is then
redundant itself.

The levels of a categorical feature add up, so the last level's row is told by the others', the new
code is wider by one, and the inverse is the one that makes nothing of a sum that no image has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from scipy.linalg import qr
from torch import Tensor

from glance_pipeline.twin.basis.assignment import assign, log_assignment
from glance_pipeline.twin.basis.linear_change import LinearChange, with_code_changed
from glance_pipeline.twin.networks import Codes, Concept, TwinSurrogate
from glance_pipeline.twin.networks.concept import by_feature, not_told_by_others

Method = Literal["regression", "assignment"]


@dataclass(frozen=True)
class _Directions:
    """Where the aligned concepts come from: Bz, and the dimensions that By = 0 makes redundant.

    Attributes:
        matrix: B, (J, W).
        at_mean: values of the aligned concepts at the mean of z, (J,).
        dropped: positions in z.
    """

    matrix: Tensor
    at_mean: Tensor
    dropped: set[int]


def align_basis(
    surrogate: TwinSurrogate,
    codes: Codes,
    context: Tensor,
    aligned: list[Concept],
    ridge: float,
    method: Method = "regression",
) -> TwinSurrogate:
    """Return a surrogate whose first J concepts are the context features, and which draws the same.

    With z = (u, n) centred, B of J rows, a = Bz and Γ = Cov(z, a) Cov(a)⁻¹, every code is
    z = Γa + y with By = 0. The new code is a (the aligned concepts), the concept part of y (the
    latent concepts) and the residual part of y, without the dimensions that By = 0 makes redundant.
    The old code is a linear function of the new one, so its inverse goes into the first layers of
    mapping network and student head, and the forward change into the last layer of the encoder:
    G∘E and h∘E stay what they were, up to rounding.

    Args:
        surrogate: with latent concepts only.
        codes: codes of the training images.
        context: standardised context features of those images, (N, J), NaN where not known.
        aligned: the concepts to be, in the order of the columns of ``context``.
        ridge: penalty per image.
        method: where B comes from.

    Returns:
        A new surrogate whose concepts are the aligned ones and what is left of the latent ones.

    Raises:
        ValueError: if nothing of the residual code would be left.
    """
    z = torch.cat([codes.concepts, codes.residual], 1).double()
    free = not_told_by_others(aligned)
    context = context.double()
    wanted = context if len(free) == len(aligned) else context[:, free]
    concepts = surrogate.shape.concepts
    found = assign(z.numpy(), wanted.numpy(), [aligned[index].name for index in free])
    log_assignment(found, surrogate.concept_names)
    if method == "regression":
        directions = _regressed(z, wanted, concepts, ridge)
    else:
        taken = [(one.dimension, one.correlation) for one in found]
        directions = _assigned(z, wanted, taken)
    _check_room(surrogate, directions)
    change = _change_of_basis(z, directions, aligned)
    return with_code_changed(surrogate, change, aligned)


def _check_room(surrogate: TwinSurrogate, directions: _Directions) -> None:
    """Refuse a change that leaves nothing of the residual code; what comes from u is no loss."""
    shape = surrogate.shape
    taken = sum(dimension >= shape.concepts for dimension in directions.dropped)
    if taken >= shape.residual:
        raise ValueError(
            f"{len(directions.matrix)} context features would take {taken} dimensions of the "
            f"residual code, which has only {shape.residual} dimensions and must keep one: raise "
            "distill.surrogate.residual"
        )


def _regressed(z: Tensor, context: Tensor, concepts: int, ridge: float) -> _Directions:
    """Take B from the regression of the context (N, J) on the codes (N, W)."""
    mean = z.mean(0)
    centred = z - mean
    scale = centred.std(0).clamp_min(1e-12)
    whitened = centred / scale
    if not context.isnan().any():
        at_mean = context.mean(0)
        matrix = _ridge(whitened, context - at_mean, ridge) / scale
    else:
        rows, values = [], []
        for column in context.T:
            known = ~column.isnan()
            here = whitened[known]
            centre = here.mean(0)
            wanted = column[known, None]
            row = _ridge(here - centre, wanted - wanted.mean(0), ridge)[0]
            rows.append(row)
            values.append(wanted.mean() - row @ centre)
        matrix, at_mean = torch.stack(rows) / scale, torch.stack(values)
    # By = 0 makes J residual dimensions redundant: those that the regression determines best.
    _, _, pivots = qr((matrix * scale)[:, concepts:].numpy(), pivoting=True)
    dropped = {concepts + int(pivot) for pivot in pivots[: context.shape[1]]}
    return _Directions(matrix, at_mean, dropped)


def _ridge(whitened: Tensor, wanted: Tensor, ridge: float) -> Tensor:
    """Return the coefficients (J, W) of a ridge regression without intercept."""
    count, width = whitened.shape
    gram = whitened.T @ whitened + ridge * count * torch.eye(width, dtype=whitened.dtype)
    return torch.linalg.solve(gram, whitened.T @ wanted).T


def _assigned(z: Tensor, context: Tensor, taken: list[tuple[int, float]]) -> _Directions:
    """Take B from one dimension of the code for each feature, given with its correlation."""
    matrix = torch.zeros(len(taken), z.shape[1], dtype=z.dtype)
    scale = z.std(0).clamp_min(1e-12)
    for row, (dimension, correlation) in enumerate(taken):
        matrix[row, dimension] = (1.0 if correlation >= 0 else -1.0) / scale[dimension]
    return _Directions(matrix, context.nanmean(0), {dimension for dimension, _ in taken})


def _change_of_basis(
    z: Tensor, directions: _Directions, aligned: Sequence[Concept]
) -> LinearChange:
    mean = z.mean(0)
    centred = z - mean
    matrix = directions.matrix
    width = z.shape[1]
    predicted = centred @ matrix.T
    gamma = torch.linalg.solve(predicted.T @ predicted, predicted.T @ centred).T
    remainder = torch.eye(width, dtype=z.dtype) - gamma @ matrix
    kept = [index for index in range(width) if index not in directions.dropped]
    rest = remainder[kept]
    rest = rest / (centred @ rest.T).std(0).clamp_min(1e-12)[:, None]
    basis = torch.cat([matrix, rest])
    offset = -basis @ mean
    offset[: len(matrix)] += directions.at_mean
    inverse = torch.linalg.inv(basis)
    if len(matrix) == len(aligned):
        return LinearChange(basis, offset, inverse, kept)
    return _with_last_levels(LinearChange(basis, offset, inverse, kept), aligned)


def _with_last_levels(change: LinearChange, aligned: Sequence[Concept]) -> LinearChange:
    """Add the last level of each categorical feature: its std times its code is minus the others'.

    Of the inverses, which differ in what they make of a sum of levels that no image has, the one
    is taken that makes nothing of it.
    """
    width = len(change.basis)
    free = not_told_by_others(aligned)
    more = len(aligned) - len(free)
    place = free + [len(aligned) + k for k in range(width - len(free))]
    std = torch.tensor([concept.std for concept in aligned], dtype=change.basis.dtype)
    spread = torch.zeros(width + more, width, dtype=change.basis.dtype)
    spread[place, torch.arange(width)] = 1.0
    inverse = torch.zeros(width, width + more, dtype=change.basis.dtype)
    inverse[:, place] = change.inverse
    for members in by_feature(aligned).values():
        if len(members) > 1:
            others = members[:-1]
            from_others = [place.index(index) for index in others]
            spread[members[-1], from_others] = -std[others] / std[members[-1]]
            along = std[members] / std[members].norm()
            inverse[:, members] -= (inverse[:, members] @ along)[:, None] * along
    return LinearChange(spread @ change.basis, spread @ change.offset, inverse, change.kept)

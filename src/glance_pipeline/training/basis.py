"""The exact change of basis that alignment starts from: rotate the code towards the context."""

from dataclasses import replace

import torch
from scipy.linalg import qr
from torch import Tensor

from glance_pipeline.networks import Codes, Concept, TwinSurrogate
from glance_pipeline.networks.layers import Linear


def align_basis(
    surrogate: TwinSurrogate, codes: Codes, context: Tensor, aligned: list[Concept], ridge: float
) -> TwinSurrogate:
    """Return a surrogate whose first J concepts are the context features, and which draws the same.

    With z = (u, n) centred, B the ridge regression of the context c on z, a = Bz its prediction
    and Γ = Cov(z, a) Cov(a)⁻¹, every code is z = Γa + y with By = 0. The new code is a (the
    aligned concepts), the concept part of y (the latent concepts) and the residual part of y
    without the J dimensions that By = 0 makes redundant (found by pivoted QR). The old code is a
    linear function of the new one, so its inverse goes into the first layers of mapping network
    and student head, and the forward change into the last layer of the encoder: G∘E and h∘E stay
    what they were, up to rounding.

    Args:
        surrogate: with latent concepts only.
        codes: of the training images.
        context: standardised context features of those images, (N, J), J < M.
        aligned: the concepts to be, in the order of the columns of ``context``.
        ridge: penalty per image.

    Returns:
        A new surrogate with J + L concepts and M − J residual dimensions.

    Raises:
        ValueError: where there are as many context features as residual dimensions, or more.
    """
    if len(aligned) >= surrogate.shape.residual:
        raise ValueError(
            f"{len(aligned)} context features are to be aligned, but the residual code has only "
            f"{surrogate.shape.residual} dimensions to take them from: raise "
            "distill.surrogate.residual"
        )
    z = torch.cat([codes.concepts, codes.residual], 1).double()
    basis, offset, latent = _new_basis(z, context.double(), surrogate.shape.concepts, ridge)
    count = len(aligned) + latent
    shape = replace(
        surrogate.shape, concepts=count, residual=surrogate.shape.residual - len(aligned)
    )
    rotated = TwinSurrogate(shape, [*aligned, *surrogate.concepts])
    rotated.encoder.load_state_dict(surrogate.encoder.state_dict())
    rotated.generator.load_state_dict(surrogate.generator.state_dict())
    rotated.encoder.change_basis(basis, offset)
    inverse = torch.linalg.inv(basis)
    back = -inverse @ offset
    _precede(rotated.generator.mapping.entry, surrogate.generator.mapping.entry, inverse, back)
    rotated.head.load_state_dict(
        {k: v for k, v in surrogate.head.state_dict().items() if not k.startswith("entry")},
        strict=False,
    )
    # The old concept code is a function of the new one alone: its rows of the inverse are zero
    # for every residual dimension.
    old = slice(0, surrogate.shape.concepts)
    _precede(rotated.head.entry, surrogate.head.entry, inverse[old, :count], back[old])
    return rotated


def _new_basis(
    z: Tensor, context: Tensor, concepts: int, ridge: float
) -> tuple[Tensor, Tensor, int]:
    """Return (basis, offset, number of latents): the new code is ``basis @ z + offset``."""
    mean = z.mean(0)
    centred = z - mean
    count, width = centred.shape
    features = context.shape[1]
    scale = centred.std(0).clamp_min(1e-12)
    whitened = centred / scale
    gram = whitened.T @ whitened + ridge * count * torch.eye(width, dtype=z.dtype)
    regression = torch.linalg.solve(gram, whitened.T @ (context - context.mean(0))).T / scale
    predicted = centred @ regression.T
    gamma = torch.linalg.solve(predicted.T @ predicted, predicted.T @ centred).T
    remainder = torch.eye(width, dtype=z.dtype) - gamma @ regression
    # By = 0 makes J residual dimensions redundant: those that the regression determines best.
    _, _, pivots = qr((regression * scale)[:, concepts:].numpy(), pivoting=True)
    dropped = {concepts + int(pivot) for pivot in pivots[:features]}
    kept = [index for index in range(width) if index not in dropped]
    rest = remainder[kept]
    rest = rest / (centred @ rest.T).std(0).clamp_min(1e-12)[:, None]
    basis = torch.cat([regression, rest])
    offset = -basis @ mean
    offset[:features] += context.mean(0)
    return basis, offset, concepts


def _precede(target: Linear, source: Linear, matrix: Tensor, offset: Tensor) -> None:
    """Make ``target`` do what ``source`` does after ``matrix @ x + offset``."""
    weight, bias = source.effective()
    target.load_effective(weight @ matrix, bias + weight @ offset)

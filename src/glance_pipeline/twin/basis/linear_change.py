"""A linear change of the code that no network notices: G∘E and h∘E stay what they were."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from glance_pipeline.twin.networks import Concept, TwinSurrogate
from glance_pipeline.twin.networks.layers import Linear


@dataclass(frozen=True)
class LinearChange:
    """The new code is ``basis @ z + offset``, and z is ``inverse @ (new − offset)``.

    Attributes:
        basis: (W′, W); W′ exceeds W by one for each categorical feature.
        offset: (W′,).
        inverse: (W, W′).
        kept: positions in z of the dimensions that stay, after the J aligned ones.
    """

    basis: Tensor
    offset: Tensor
    inverse: Tensor
    kept: list[int]


def with_code_changed(
    surrogate: TwinSurrogate, change: LinearChange, aligned: Sequence[Concept]
) -> TwinSurrogate:
    """Build the surrogate that works on the new code as the old one did on z."""
    before = surrogate.shape.concepts
    latent = [surrogate.concepts[index] for index in change.kept if index < before]
    count = len(aligned) + len(latent)
    shape = replace(surrogate.shape, concepts=count, residual=len(change.basis) - count)
    rotated = TwinSurrogate(shape, [*aligned, *latent], surrogate.scale)
    _copy(rotated.encoder, surrogate.encoder, "exit")
    _copy(rotated.generator, surrogate.generator, "mapping.entry")
    _copy(rotated.head, surrogate.head, "entry")
    _follow(rotated.encoder.exit, surrogate.encoder.exit, change.basis, change.offset)
    back = -change.inverse @ change.offset
    mapping, head = surrogate.generator.mapping.entry, surrogate.head.entry
    _precede(rotated.generator.mapping.entry, mapping, change.inverse, back)
    # The old concept code is a function of the new one alone: its rows of the inverse are zero
    # for every residual dimension.
    old = slice(0, before)
    _precede(rotated.head.entry, head, change.inverse[old, :count], back[old])
    return rotated


def _copy(target: nn.Module, source: nn.Module, but: str) -> None:
    """Copy all weights from ``source`` but those of one layer."""
    state = {k: v for k, v in source.state_dict().items() if not k.startswith(f"{but}.")}
    target.load_state_dict(state, strict=False)


def _follow(target: Linear, source: Linear, matrix: Tensor, offset: Tensor) -> None:
    """Make ``target`` answer ``matrix @ y + offset`` where ``source`` answers y."""
    weight, bias = source.effective()
    target.load_effective(matrix @ weight, matrix @ bias + offset)


def _precede(target: Linear, source: Linear, matrix: Tensor, offset: Tensor) -> None:
    """Make ``target`` do what ``source`` does after ``matrix @ x + offset``."""
    weight, bias = source.effective()
    target.load_effective(weight @ matrix, bias + weight @ offset)

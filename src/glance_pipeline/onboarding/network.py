"""What a network takes and gives, asked of its file and of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.errors import UserError, in_one_line
from glance_pipeline.images import to_float
from glance_pipeline.onboarding.asking import Asker, whole_number
from glance_pipeline.onboarding.quiet import kept_messages
from glance_pipeline.teachers.black_box import BlackBox
from glance_pipeline.teachers.entrance import Entrance
from glance_pipeline.teachers.input_shape import shapes_that_fit
from glance_pipeline.teachers.output import check_finite
from glance_pipeline.teachers.source import Source
from glance_pipeline.teachers.specification import ClassifierSpecification, Output

_ASKED = 32
"""Images that tell what a network's outputs are."""


@dataclass(frozen=True)
class Takes:
    """What a network takes, as far as it is known.

    Attributes:
        channels: None where not known.
        size: height and width, px; None where it takes any, or that is not known.
        how: how it is known, in words.
    """

    channels: int | None
    size: int | None
    how: str


def what_it_takes(source: Source, wanted: int | None, asker: Asker) -> Takes:
    """Find the channels and the size that a network takes.

    From its file where that says it, otherwise by trying the usual sizes; a black box is not tried.

    Args:
        source: the network and what its file says.
        wanted: the size, where the user names it.
        asker: asks where several sizes fit, or none of the usual ones.

    Raises:
        UserError: where no size is found and nobody answers, or it is not square.
    """
    shape = source.known.get("network_shape") or source.known.get("image_shape")
    channels, height, width = shape or (None, None, None)
    if height != width:
        raise UserError(
            f"the network takes images of {height}×{width} px (height × width); wanted a square: "
            "wrap it in a module that brings squares to its size"
        )
    if height is not None and wanted not in (None, height):
        raise UserError(f"--input-size: found {wanted}, but the model's own file says {height}")
    if height is not None:
        return Takes(channels, int(height), "said by its file")
    if isinstance(source.network, BlackBox):
        how = "as named" if wanted else "that of the images; a black box is not tried"
        return Takes(channels, wanted, how)
    with kept_messages():
        fitting = shapes_that_fit(source.network.eval())
    found = [shape for shape in fitting if channels in (None, shape[0])]
    if found:
        channels = found[0][0]
    if wanted is not None:
        return Takes(channels, wanted, "as named")
    sizes = [shape[1] for shape in found]
    if len(sizes) >= 3:
        return Takes(channels, None, f"tried: any size from {sizes[0]} px")
    if len(sizes) == 1:
        return Takes(channels, sizes[0], "tried: no other usual size")
    return Takes(channels, _asked_size(sizes, asker), "as named")


def _asked_size(sizes: list[int], asker: Asker) -> int:
    """Ask for the size that a network takes, where trying leaves none or two."""
    said = "it takes none of the usual sizes"
    if sizes:
        said = f"of the usual sizes it takes {' and '.join(map(str, sizes))} px"
    return asker.settle(
        "--input-size",
        None,
        f"Height and width that the network takes ({said}), px",
        parse=whole_number,
        missing=f"the file does not say the height and width that the network takes, and {said}",
    )


@torch.no_grad()
def outputs_on(source: Source, images: np.ndarray, entrance: Mapping[str, Any]) -> Tensor:
    """Ask a network about images and return its own numbers, (n, K).

    Args:
        source: the network.
        images: uint8 (n, C, H, W).
        entrance: fields of ``ClassifierSpecification`` that say how images reach the network.

    Raises:
        UserError: where it does not take them, or answers with anything but a row of finite numbers
            for each image.
    """
    known = {key: source.known[key] for key in ("mean", "std", "fit") if key in source.known}
    specification = ClassifierSpecification(class_names=("a", "b"), **(known | dict(entrance)))
    inputs = Entrance(specification)(to_float(images[:_ASKED])).contiguous()
    try:
        said = source.network.eval()(inputs)
    except (RuntimeError, IndexError, TypeError, AttributeError) as error:
        fitting = [] if isinstance(source.network, BlackBox) else shapes_that_fit(source.network)
        wanted = f"; it does take {' or '.join(map(str, fitting))}" if fitting else ""
        raise UserError(
            f"the network does not take a batch of the shape {tuple(inputs.shape)} (--input-size, "
            f"--channels, --colour): {in_one_line(error)}{wanted}"
        ) from error
    if not isinstance(said, Tensor):
        raise UserError(
            f"the classifier answers with {type(said).__name__}; a tensor (N, K) was wanted: wrap "
            "it in a module that returns the logits alone"
        )
    if said.ndim not in (1, 2) or len(said) != len(inputs) or said.numel() == 0:
        raise UserError(
            f"the classifier answers {len(inputs)} images with an output of shape "
            f"{tuple(said.shape)}; (N, K) was wanted, a number for each of K classes"
        )
    check_finite(said)
    return said.float().reshape(len(said), -1)


def kind_of_outputs(said: Tensor) -> Output:
    """Tell what outputs (n, K) are: probabilities where they all can be, else logits."""
    bounded = bool((said >= 0).all()) and bool((said <= 1).all())
    if said.shape[1] == 1:
        return "probabilities" if bounded else "sigmoid"
    sums_to_one = bool(((said.sum(1) - 1).abs() < 1e-3).all())
    return "probabilities" if bounded and sums_to_one else "logits"

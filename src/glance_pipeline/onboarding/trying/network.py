"""What a network takes and gives, asked of its file and of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.entrance import Entrance
from glance_pipeline.classifiers.input_shape import shapes_that_fit
from glance_pipeline.classifiers.output import check_finite
from glance_pipeline.classifiers.specification import ClassifierSpecification, Output
from glance_pipeline.images.form import in_batches
from glance_pipeline.onboarding.terminal.asking import Asker, whole_number
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.support.errors import UserError, in_one_line

_ASKED = 32
"""Images that tell what a network's outputs are."""

_BATCH = 64


@dataclass(frozen=True)
class Takes:
    """What a network takes, as far as it is known.

    Attributes:
        channels: None if not known.
        size: height and width, px; None if it takes any, or that is not known.
        how: how it is known, in words.
    """

    channels: int | None
    size: int | None
    how: str


def what_it_takes(source: LoadedNetwork, wanted: int | None, asker: Asker) -> Takes:
    """Find the channels and the size that a network takes.

    From its file where that says it, otherwise by trying the usual sizes; a black box is not tried.

    Args:
        source: the network and what its file says.
        wanted: the size, where the user names it.
        asker: asks where several sizes fit, or none of the usual ones.

    Raises:
        UserError: if no size is found and nobody answers, or it is not square.
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
def answers_to(
    source: LoadedNetwork, images: np.ndarray, specification: ClassifierSpecification
) -> Tensor:
    """Ask a network about images and return its own numbers, float32 (n, K), batch by batch.

    Args:
        source: the network.
        images: uint8 (n, C, H, W).
        specification: how images reach the network; its class names do not matter.

    Raises:
        UserError: if it answers with anything but a row of numbers for each image.
        RuntimeError, IndexError, TypeError, AttributeError: if it does not take them.
    """
    entrance, network = Entrance(specification), source.network.eval()
    answers = [
        _rows(network(entrance(batch).contiguous()), len(batch))
        for batch in in_batches(images, _BATCH)
    ]
    return torch.cat(answers)


def outputs_on(source: LoadedNetwork, images: np.ndarray, entrance: Mapping[str, Any]) -> Tensor:
    """Ask a network about a few images and return its own numbers, (n, K).

    Args:
        source: the network.
        images: uint8 (n, C, H, W).
        entrance: fields of ``ClassifierSpecification`` that say how images reach the network.

    Raises:
        UserError: if it does not take them, or answers with anything but a row of finite numbers
            for each image.
    """
    names = ("mean", "std", "fit", "colour")
    known = {key: source.known[key] for key in names if key in source.known}
    specification = ClassifierSpecification(class_names=("a", "b"), **(known | dict(entrance)))
    try:
        said = answers_to(source, images[:_ASKED], specification)
    except UserError:
        raise
    except (RuntimeError, IndexError, TypeError, AttributeError) as error:
        fitting = [] if isinstance(source.network, BlackBox) else shapes_that_fit(source.network)
        wanted = f"; it does take {' or '.join(map(str, fitting))}" if fitting else ""
        shape = (len(images[:_ASKED]), *specification.network_shape)
        raise UserError(
            f"the network does not take a batch of the shape {shape} (--input-size, "
            f"--channels, --colour): {in_one_line(error)}{wanted}"
        ) from error
    check_finite(said)
    return said


def _rows(said: Any, images: int) -> Tensor:
    """Return outputs as rows; refuse what is none."""
    if not isinstance(said, Tensor):
        raise UserError(
            f"the classifier answers with {type(said).__name__}; a tensor (N, K) was wanted: wrap "
            "it in a module that returns the logits alone"
        )
    if said.ndim not in (1, 2) or len(said) != images or said.numel() == 0:
        raise UserError(
            f"the classifier answers {images} images with an output of shape "
            f"{tuple(said.shape)}; (N, K) was wanted, a number for each of K classes"
        )
    return said.float().reshape(len(said), -1)


def kind_of_outputs(said: Tensor) -> tuple[Output, str]:
    """Tell what outputs (n, K) are, as they look, and say in words by what.

    Several numbers within [0, 1] are probabilities of classes where they add up to 1, else of
    labels that are on or off each by itself; a single one is the probability of the second of two
    classes, or its logit.
    """
    bounded = bool((said >= 0).all()) and bool((said <= 1).all())
    few = f"on {len(said)} images"
    if said.shape[1] == 1:
        if bounded:
            return "probabilities", f"one number, from 0 to 1 {few}; --output values if no class's"
        return "sigmoid", f"one number, not from 0 to 1 {few}; --output values if no class's"
    sums_to_one = bool(((said.sum(1) - 1).abs() < 1e-3).all())
    if bounded and sums_to_one:
        return "probabilities", f"numbers from 0 to 1 that add up to 1 {few}"
    if bounded:
        return (
            "label_probabilities",
            f"numbers from 0 to 1 that do not add up to 1 {few}, as sigmoids give them: each is "
            "of a label that is on or off by itself; if not, --output says what they are",
        )
    return (
        "logits",
        f"numbers beyond 0 to 1 {few}; --output label_logits if each is of a label by itself",
    )

"""From what a network says to logits (N, K), and what is said where that cannot be."""

from typing import Any

import torch
from torch import Tensor

from glance_pipeline.classifiers.specification import TASKS, ClassifierSpecification, Output
from glance_pipeline.classifiers.task import OneOf
from glance_pipeline.support.errors import UserError

_LEAST = 1e-6
"""Least probability that is told from 0: logits stay within ±13.8 of each other."""


def to_logits(said: Tensor, output: Output) -> Tensor:
    """Return logits (N, K) of a network's outputs (N, K), or (N, 2) of single outputs (N, 1).

    Those of labels become each label's own logit; numbers stay as they are.

    A single logit z, or the log-odds z of a single probability, becomes (−z/2, z/2). Softmax gives
    σ(z) and both margins are ±z, as with (0, z); but either class then has a logit that moves, and
    none is the measure of the other.

    Args:
        said: the network's outputs.
        output: what they are.
    """
    if output == "logits":
        return said
    if said.ndim == 1:
        said = said[:, None]
    if output in ("label_logits", "values"):
        return said
    if output == "label_probabilities":
        return said.float().clamp(_LEAST, 1 - _LEAST).logit()
    if output == "probabilities":
        said = said.float().clamp_min(_LEAST)
        if said.shape[1] > 1:
            return said.log()
        said = said.clamp_max(1 - _LEAST).logit()
    return torch.cat([-said / 2, said / 2], dim=1)


def check_output(said: Any, specification: ClassifierSpecification, images: int) -> None:
    """Raise if outputs are not what the specification says.

    Args:
        said: what the network answered, before ``to_logits``.
        specification: names the classes and what the outputs are.
        images: number N of images it was asked about.

    Raises:
        ValueError: naming what was found and what was wanted.
    """
    names, output = specification.class_names, specification.output
    if not isinstance(said, Tensor):
        raise ValueError(
            f"the classifier answers with {type(said).__name__}; a tensor ({images}, K) was "
            "wanted: wrap it in a module that returns the logits alone"
        )
    shape = tuple(said.shape)
    single = shape in ((images,), (images, 1))
    of_classes = TASKS[output] is OneOf
    if single and output == "logits":
        raise ValueError(
            f"the classifier answers with an output of shape {shape}, one number per image: say "
            "`output: sigmoid` in the specification where it is the logit of the second class, "
            "`output: probabilities` where it is that class's probability, or `output: values` "
            "where it is a number to be explained, as of a regression"
        )
    if output == "sigmoid" and not single:
        raise ValueError(
            f"output: sigmoid is of one number per image, but the classifier answers with an "
            f"output of shape {shape}: say `output: label_logits` where each number is the logit "
            "of a label that is on or off by itself, `output: logits` where one class of several "
            "is the answer"
        )
    wanted = (images, len(names))
    if not (single and (of_classes or len(names) == 1)) and shape != wanted:
        what = "logit" if of_classes else "number"
        of = "class names" if of_classes else "names"
        raise ValueError(
            f"the classifier answers with an output of shape {shape}; {wanted} was wanted: one "
            f"{what} for each of the {len(names)} {of} {_some(names)}"
        )
    if single and of_classes and len(names) != 2:
        raise ValueError(
            f"class_names: found {len(names)}, {_some(names)}; 2 were wanted for a network with "
            "one output"
        )
    _check_values(said.float(), output)


def check_range(said: Tensor, specification: ClassifierSpecification, enough: bool = False) -> bool:
    """Return whether outputs (N, K) look like probabilities of labels where logits are expected.

    Where the catalog names their kind it is believed: logits may be from 0 to 1 too.

    Args:
        said: what the network answered.
        specification: says what the outputs are.
        enough: whether they are answers to images of many kinds.

    Raises:
        ValueError: if they look so, and are enough to tell.
    """
    output = specification.output
    named = "output" in specification.model_fields_set and output == "logits"
    several = said.ndim > 1 and said.shape[1] > 1
    strange = not named and several and output in ("logits", "label_logits") and _bounded(said)
    if strange and enough:
        raise ValueError(
            f"output: {output}, but the classifier answers {_numbers(said.float())}, numbers from "
            "0 to 1 whatever it is shown, as sigmoids give them: say `output: label_probabilities` "
            "in the specification where each is the probability of a label that is on or off by "
            "itself, `output: values` where they are numbers to be explained, or `output: logits` "
            "where they are logits of classes all the same"
        )
    return strange


def varied_images(shape: tuple[int, int, int], exaggerated: bool = False) -> Tensor:
    """Return eight images (8, C, H, W) in [−1, 1] of very different kinds, the same always.

    Dark, grey, bright and full of contrast; none is of one grey level, which a network may divide
    by the spread of.

    Args:
        shape: shape of an image.
        exaggerated: whether eight more follow with 30 times the contrast of any picture, which
            logits follow and what comes from a sigmoid does not.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(8, *shape, generator=generator) * 2 - 1
    level = torch.tensor([-0.8, 0.0, 0.8]).view(-1, 1, 1, 1)
    images = torch.cat([level + 0.2 * noise[:3], noise[3:6], noise[6:].sign()])
    return torch.cat([images, 30 * images]) if exaggerated else images


def check_finite(said: Tensor, origin: str = "the classifier") -> None:
    """Raise if outputs (N, …) are not finite, saying how many of which classifier."""
    if bool(torch.isfinite(said).all()):
        return
    wrong = (~torch.isfinite(said)).flatten(1).any(1)
    first = int(wrong.nonzero()[0])
    raise UserError(
        f"{origin} answers {int(wrong.sum())} of {len(said)} images with numbers that are "
        f"not finite, the first is number {first} of them: {said[first].flatten()[:6].tolist()}; "
        "finite numbers were wanted"
    )


def _check_values(said: Tensor, output: Output) -> None:
    check_finite(said)
    total = said.sum(1) if said.ndim > 1 and said.shape[1] > 1 else None
    bounded = _bounded(said)
    sums_to_one = total is not None and bool((total - 1).abs().max() < 1e-3)
    if output == "probabilities" and not (bounded and (total is None or sums_to_one)):
        labels = "; say `output: label_probabilities` where each is of a label by itself"
        raise ValueError(
            f"output: probabilities, but the classifier answers {_numbers(said)}; numbers from 0 "
            f"to 1 that add up to 1 were wanted{labels if bounded else ''}"
        )
    if output == "label_probabilities" and not bounded:
        raise ValueError(
            f"output: label_probabilities, but the classifier answers {_numbers(said)}; numbers "
            "from 0 to 1 were wanted: say `output: label_logits` where a label is on above 0"
        )
    if output in ("logits", "label_logits", "label_probabilities") and bounded and sums_to_one:
        raise ValueError(
            f"output: {output}, but the classifier answers {_numbers(said)}, which add up to 1 on "
            "every image: say `output: probabilities` in the specification"
        )


def _bounded(said: Tensor) -> bool:
    return bool((said >= 0).all()) and bool((said <= 1).all())


def _numbers(said: Tensor) -> str:
    return str([round(value, 4) for value in said[0].flatten()[:6].tolist()])


def _some(names: tuple[str, ...]) -> str:
    return f"{names}" if len(names) <= 6 else f"({', '.join(map(repr, names[:6]))}, …)"

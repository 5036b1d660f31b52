"""Admissible choices of what is held while a concept is moved.

"All else held" is a choice: latent concepts and residual code may be redefined by adding any
function of the aligned concepts, and what an intervention draws depends on it (docs: Method). An
effect is therefore given for several choices, each of which moves the concept as far:

- ``as_trained``: every other dimension of the code stays where it is;
- ``regauged``: the latent concepts and the residual code follow by their own linear regression on
  the aligned concepts, so that what is held is what the aligned concepts do not tell;
- ``smallest_change``: they follow in the direction in which the picture changes least, among those
  that leave what the student reads of all aligned concepts where the intervention put it.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from glance_pipeline.config.discover import Choice
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.images.form import to_float
from glance_pipeline.twin.networks import Codes, TwinSurrogate

IMAGES = 48
"""Images at which the generator is differentiated; directions hardly change beyond that."""

_STEP = 0.5  # standard deviations, of finite differences
_LARGEST_SIDE = 32  # px, of the pictures that are compared
_LEAST_ERROR = 1e-3  # of a picture, summed over its pixels in [−1, 1]; less is rounding


def choices_of(
    experiment: Experiment, names: Sequence[str], wanted: Sequence[Choice], background: Codes
) -> dict[str, Experiment]:
    """Return the experiment under each of the choices that interventions can make.

    Args:
        experiment: with all else held.
        names: continuous concepts that will be moved.
        wanted: choices; what is no intervention (``real_images``) is passed over.
        background: codes of the images that the regression is fitted on.
    """
    found: dict[str, Experiment] = {}
    if "regauged" in wanted:
        directions = by_regression(experiment.surrogate, names, background)
        found["regauged"] = replace(experiment, following=directions)
    if "smallest_change" in wanted:
        directions = by_smallest_change(experiment, names)
        found["smallest_change"] = replace(experiment, following=directions)
    return found


def by_regression(
    surrogate: TwinSurrogate, names: Sequence[str], background: Codes
) -> dict[str, Codes]:
    """Return how the rest of the code goes along with each aligned concept, by linear regression.

    Args:
        surrogate: says what the concepts are.
        names: concepts that will be moved; of a latent one there is nothing to say.
        background: codes of the images that the regression is fitted on.
    """
    aligned = _aligned(surrogate)
    if not aligned:
        return {}
    told = background.concepts[:, aligned].double()
    rest = surrogate.rest_of(background).double()
    told, rest = told - told.mean(0), rest - rest.mean(0)
    slopes = torch.linalg.lstsq(told, rest, driver="gelsd").solution.float()
    order = [surrogate.concepts[index].name for index in aligned]
    return {
        name: _as_codes(surrogate, slopes[order.index(name)]) for name in names if name in order
    }


@torch.no_grad()
def by_smallest_change(experiment: Experiment, names: Sequence[str]) -> dict[str, Codes]:
    """Return the direction of the rest of the code that undoes most of each concept's picture.

    With P_j and P the changes of the picture for one standard deviation of concept j and of each
    dimension of the rest, the direction d makes E|P_j + P d|² / σ² + |d|² least, under A d = 0: A
    is what those dimensions do to the aligned concepts that the student reads off the picture, and
    σ² the squared error of a redrawn image. It is the most probable change of a rest that varies by
    one standard deviation, of pictures that are known as well as they are redrawn; what is as small
    as that error is not worth moving the rest for. All are finite differences.

    Args:
        experiment: images and networks; the first ``IMAGES`` are taken.
        names: concepts that will be moved.
    """
    surrogate, codes = experiment.surrogate, experiment.codes[slice(0, IMAGES)]
    rest = surrogate.rest_of(experiment.codes)
    scale = rest.std(0).clamp_min(1e-6)
    width = rest.shape[1]
    # A latent concept that is moved itself must not undo its own move.
    latents = [i for i, one in enumerate(surrogate.concepts) if one.kind == "latent"]
    of_rest = [
        _picture_and_reading(surrogate, codes, _as_codes(surrogate, row))
        for row in tqdm(torch.diag(scale), desc="what is held", unit="direction")
    ]
    pictures = torch.stack([picture.flatten() for picture, _ in of_rest], 1)
    readings = torch.stack([reading for _, reading in of_rest], 1)
    gram = pictures.T @ pictures / len(codes)
    gram += _error(experiment, codes) * torch.eye(width)
    directions = {}
    for name in names:
        index = surrogate.concept_names.index(name)
        own = torch.zeros(len(surrogate.concepts))
        own[index] = 1.0
        unit = Codes(own[None], torch.zeros(1, codes.residual.shape[1]))
        picture, _ = _picture_and_reading(surrogate, codes, unit)
        kept = torch.ones(width, dtype=torch.bool)
        if index in latents:
            kept[latents.index(index)] = False
        found = torch.zeros(width)
        found[kept] = _least_squares(
            gram[kept][:, kept],
            -(pictures[:, kept].T @ picture.flatten()) / len(codes),
            readings[:, kept],
        )
        directions[name] = _as_codes(surrogate, found * scale)
    return directions


def _error(experiment: Experiment, codes: Codes) -> float:
    """Return the squared error of a redrawn image, summed over its pixels."""
    if experiment.images is None:
        return _LEAST_ERROR
    originals = to_float(experiment.images[: len(codes)])
    drawn = experiment.surrogate.generate(codes)
    squared = (_small(drawn) - _small(originals)).square().flatten(1).sum(1)
    return max(float(squared.mean()), _LEAST_ERROR)


def _least_squares(gram: Tensor, wanted: Tensor, zero: Tensor) -> Tensor:
    """Minimise d·gram·d / 2 − wanted·d over the d with ``zero`` @ d = 0."""
    if len(zero):
        _, values, basis = torch.linalg.svd(zero, full_matrices=True)
        rank = int((values > 1e-6 * values.max().clamp_min(1e-12)).sum())
        free = basis[rank:].T
    else:
        free = torch.eye(len(gram))
    if not free.shape[1]:
        return torch.zeros(len(gram))
    return free @ torch.linalg.solve(free.T @ gram @ free, free.T @ wanted)


def _picture_and_reading(
    surrogate: TwinSurrogate, codes: Codes, direction: Codes
) -> tuple[Tensor, Tensor]:
    """Return what a direction does to pictures (N, C, h, w) and to their aligned readings (J,)."""
    aligned = _aligned(surrogate)
    drawn, read = [], []
    for sign in (1.0, -1.0):
        amount = torch.full((len(codes),), sign * _STEP)
        picture = surrogate.generate(codes.moved_along(direction, amount))
        read.append(surrogate.encode(picture).concepts[:, aligned].mean(0))
        drawn.append(_small(picture))
    return (drawn[0] - drawn[1]) / (2 * _STEP), (read[0] - read[1]) / (2 * _STEP)


def _small(pictures: Tensor) -> Tensor:
    side = pictures.shape[-1]
    return pictures if side <= _LARGEST_SIDE else F.avg_pool2d(pictures, side // _LARGEST_SIDE)


def _aligned(surrogate: TwinSurrogate) -> list[int]:
    return [i for i, concept in enumerate(surrogate.concepts) if concept.kind == "aligned"]


def _as_codes(surrogate: TwinSurrogate, rest: Tensor) -> Codes:
    """Return the direction of one row that ``rest`` (R,) is, with no aligned concept in it."""
    latent = [i for i, concept in enumerate(surrogate.concepts) if concept.kind == "latent"]
    concepts = torch.zeros(1, len(surrogate.concepts))
    concepts[0, latent] = rest[: len(latent)]
    return Codes(concepts, rest[None, len(latent) :])

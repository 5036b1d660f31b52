"""Axioms of counterfactuals: composition and reversibility.

Monteiro et al. 2023, "Measuring axiomatic soundness of counterfactual image models", arXiv
2303.01274. Their third, effectiveness, is in ``interventions.py``. Images are rounded to 8 bits
whenever they are drawn, as one that is saved and read again would be. Distances are to the image
itself, not to its reconstruction, so that neither can be much better than reconstruction allows.
"""

import numpy as np
import torch

from glance_pipeline.images.form import to_float
from glance_pipeline.twin.networks import Codes, TwinSurrogate

CYCLES = 10


def composition_l1(surrogate: TwinSurrogate, images: np.ndarray, cycles: int = CYCLES) -> float:
    """Return how far images have drifted after ``cycles`` of encoding and drawing, G(E(·)).

    Composition: an intervention that changes nothing must give the image back, however often it
    is repeated.

    Args:
        surrogate: after training.
        images: uint8 (N, C, H, W), held out.
        cycles: how often.

    Returns:
        Mean absolute difference of the last image to the first, images in [−1, 1]; with one cycle
        it is the error of reconstruction, but for the rounding.
    """
    drawn = images
    for _ in range(cycles):
        drawn = _draw(surrogate, surrogate.encode_array(drawn))
    return l1(drawn, images)


def reversibility_l1(
    surrogate: TwinSurrogate, images: np.ndarray, rng: np.random.Generator
) -> float:
    """Return how far images are from themselves after do(u_j = v) and back again.

    Reversibility, one cycle: x′ is drawn from E(x) with u_j at another image's value, x″
    from E(x′) with u_j at its own value in E(x). Both are direct effects: what is not moved is
    taken as E reads it, off x and off x′. The levels of a categorical feature are moved together.

    Args:
        surrogate: after alignment.
        images: uint8 (N, C, H, W), held out.
        rng: says whose value each image is given.

    Returns:
        Mean absolute difference of x″ to x, images in [−1, 1], over images and features with
        aligned concepts.
    """
    codes = surrogate.encode_array(images)
    donors = torch.as_tensor(rng.permutation(len(images)))
    distances = []
    for names in surrogate.active_features.values():
        if surrogate.concept(names[0]).kind != "aligned":
            continue
        own = {name: surrogate.read(codes, name) for name in names}
        others = {name: values[donors] for name, values in own.items()}
        moved = _draw(surrogate, surrogate.intervene(codes, others))
        back = surrogate.intervene(surrogate.encode_array(moved), own)
        distances.append(l1(_draw(surrogate, back), images))
    return float(np.mean(distances))


def l1(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean absolute difference of uint8 images, as images in [−1, 1]."""
    return float((to_float(first) - to_float(second)).abs().mean())


def _draw(surrogate: TwinSurrogate, codes: Codes) -> np.ndarray:
    return surrogate.pictures(codes)

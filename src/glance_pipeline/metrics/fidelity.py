"""Fidelity: does the teacher say of the generated image what it should?"""

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifier import Classifier
from glance_pipeline.images import to_float
from glance_pipeline.networks import Codes, TwinSurrogate


def fidelity(
    surrogate: TwinSurrogate, classifier: Classifier, images: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """Return shares of held-out images on which surrogate and teacher agree.

    Generated images are rounded to 8 bits before the teacher sees them, as a saved one would be.

    Args:
        surrogate: after training.
        classifier: the teacher f.
        images: uint8 (N, C, H, W), held out.
        rng: source of swaps and interventions.

    Returns:
        ``reconstruction_agreement``: f(G(E(x))) = f(x); ``student_agreement``: h(u) = f(x);
        ``intervention_agreement``: f(G(u′, n)) = h(u′), u′ with one random active concept of each
        image taken from another image; ``residual_swap_agreement``: f(G(u, n′)) = f(x), n′ from
        another image. Equality is of the largest logit.
    """
    codes = surrogate.encode_array(images)
    answer = classifier.classes(images)

    def seen(codes: Codes) -> Tensor:
        drawn = surrogate.pictures(codes)
        return classifier.classes(drawn)

    with torch.no_grad():
        student = surrogate.predict(codes).argmax(1)
        moved = random_interventions(surrogate, codes, rng)
        moved_student = surrogate.predict(moved).argmax(1)
    other = torch.as_tensor(rng.permutation(len(codes)))
    swapped = Codes(codes.concepts, codes.residual[other])
    return {
        "reconstruction_agreement": _share(seen(codes) == answer),
        "student_agreement": _share(student == answer),
        "intervention_agreement": _share(seen(moved) == moved_student),
        "residual_swap_agreement": _share(seen(swapped) == answer),
    }


def reconstruction_l1(surrogate: TwinSurrogate, images: np.ndarray) -> float:
    """Return the mean absolute error of G(E(x)), images in [−1, 1]."""
    drawn = surrogate.generate_batched(surrogate.encode_array(images))
    return float((drawn - to_float(images)).abs().mean())


def random_interventions(surrogate: TwinSurrogate, codes: Codes, rng: np.random.Generator) -> Codes:
    """Give each image one random active concept's value of another image.

    The levels of a categorical feature are moved together.
    """
    features = surrogate.active_features
    chosen = rng.integers(len(features), size=len(codes))
    donors = torch.as_tensor(rng.permutation(len(codes)))
    values = {}
    for index, names in enumerate(features.values()):
        for name in names:
            own = surrogate.read(codes, name)
            values[name] = torch.where(torch.as_tensor(chosen == index), own[donors], own)
    return surrogate.intervene(codes, values)


def _share(agree: Tensor) -> float:
    return float(agree.float().mean())

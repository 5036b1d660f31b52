"""Fidelity: does the teacher say of the generated image what it should?"""

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.images.form import to_float
from glance_pipeline.twin.networks import Codes, TwinSurrogate


def fidelity(
    surrogate: TwinSurrogate, classifier: Classifier, images: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """Return how far surrogate and teacher agree on held-out images.

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
        another image. All are shares of images. Equality is of the class, of all labels, or of
        numbers within a quarter of a standard deviation (``teachers/task.py``). Of labels there is
        each of them as ``…_label_agreement``, the share over images and labels, too; of numbers as
        ``…_r2``, where the numbers compared with vary.
    """
    task = surrogate.task_of(classifier)
    compared = compare_decisions(surrogate, classifier, images, rng)
    agreements = {name: task.agreement(*pair) for name, pair in compared.items()}
    # Those of classes first, whatever else there is.
    names = ("agreement", "label_agreement", "r2")
    return {
        f"{name}_{measure}": found[measure]
        for measure in names
        for name, found in agreements.items()
        if measure in found
    }


def compare_decisions(
    surrogate: TwinSurrogate, classifier: Classifier, images: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what was decided and what should have been, of each comparison of ``fidelity``.

    Args:
        surrogate: after training.
        classifier: the teacher f.
        images: uint8 (N, C, H, W), held out.
        rng: source of swaps and interventions.

    Returns:
        Decisions of N images by ``reconstruction``, ``student``, ``intervention`` and
        ``residual_swap``.
    """
    task = surrogate.task_of(classifier)
    codes = surrogate.encode_array(images)
    answer = classifier.decisions(images)

    def seen(codes: Codes) -> Tensor:
        drawn = surrogate.pictures(codes)
        return classifier.decisions(drawn)

    with torch.no_grad():
        student = task.decisions(surrogate.predict(codes))
        moved = random_interventions(surrogate, codes, rng)
        moved_student = task.decisions(surrogate.predict(moved))
    other = torch.as_tensor(rng.permutation(len(codes)))
    swapped = Codes(codes.concepts, codes.residual[other])
    return {
        "reconstruction": (seen(codes), answer),
        "student": (student, answer),
        "intervention": (seen(moved), moved_student),
        "residual_swap": (seen(swapped), answer),
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

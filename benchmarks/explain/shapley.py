"""Concept importances: do they add up, what do they cost, how far off are sampled ones?"""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations import ShapleyImportance, Subjects
from glance_pipeline.explanations.interventions.intervention import Intervention
from glance_pipeline.explanations.result.explanation import Importances
from glance_pipeline.twin.networks import TwinSurrogate

MOST = 12
"""Concepts up to which values can be exact."""


def measure_shapley(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    subjects: Subjects,
    background: Tensor,
    parameters: ImportanceParameters | None = None,
    *,
    seed: int = 0,
    intervention: Intervention | None = None,
    exact_images: int = 4,
    compared_backgrounds: int = 4,
    training: Tensor | None = None,
) -> dict[str, float | int]:
    """Measure importances on held-out images.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        subjects: N images.
        background: standardised values of the active concepts of training images, (B, D).
        parameters: parameters of the importances.
        seed: seed of their draws.
        intervention: what becomes of an image when concepts are set; by default the rest is held.
        exact_images: how many of the images get exact values, on as many backgrounds as
            ``parameters.exact_pictures`` allow; a quarter of them, one at least, are compared.
        compared_backgrounds: number of backgrounds on which sampled values are compared with exact
            ones, the same for both.
        training: of all training images, (T, D), as the pipeline passes it on; by default
            ``background`` is all there is.

    Returns:
        ``max_gap``: largest |sum − (prediction − baseline)| of exact values, in logits;
        ``exact_ms_per_image``, ``exact_backgrounds``, ``sampled_ms_per_image``: with
        ``parameters``; ``sampled_standard_error``: as stated, mean over N images and all concepts;
        ``sampled_error``: root mean square difference from exact values on the same backgrounds;
        ``sampled_error_stated``: root mean square of the standard errors stated there;
        ``concepts``: players; ``images``: N.

    Raises:
        ValueError: if there are more than 12 concepts, too many for exact values.
    """
    players = len(surrogate.active_features)
    if players > MOST:
        raise ValueError(
            f"the surrogate has {players} active concepts; at most {MOST} are wanted for exact "
            "importances"
        )
    parameters = parameters or ImportanceParameters()

    def method(codes: Tensor, known: Tensor | None, **changes: int) -> ShapleyImportance:
        settings = parameters.model_copy(update=changes)
        return ShapleyImportance(
            surrogate,
            classifier,
            codes,
            settings,
            seed=seed,
            intervention=intervention,
            training=known,
        )

    first = _rows_of(subjects, slice(exact_images))
    exact, exact_cost = _timed(method(background, training, exact_up_to=MOST), first)
    sampled, sampled_cost = _timed(method(background, training, exact_up_to=0), subjects)
    few = background[:compared_backgrounds]
    compared = _rows_of(subjects, slice(max(1, exact_images // 4)))
    pictures = 2**players * len(few)
    truth = method(few, None, exact_up_to=MOST, exact_pictures=pictures).explain(compared)
    drawn = method(few, None, exact_up_to=0).explain(compared)
    gaps = [sum(i.contribution for i in one.of) - (one.prediction - one.baseline) for one in exact]
    return {
        "max_gap": max(abs(gap) for gap in gaps),
        "exact_ms_per_image": exact_cost,
        "exact_backgrounds": exact[0].backgrounds,
        "sampled_ms_per_image": sampled_cost,
        "sampled_standard_error": float(_errors(sampled).mean()),
        "sampled_error": _root_mean_square(_values(drawn) - _values(truth)),
        "sampled_error_stated": _root_mean_square(_errors(drawn)),
        "concepts": players,
        "images": len(subjects),
    }


def _timed(method: ShapleyImportance, subjects: Subjects) -> tuple[list[Importances], float]:
    """Return the importances of images, and what one took, ms."""
    began = time.perf_counter()
    found = method.explain(subjects)
    return found, 1000 * (time.perf_counter() - began) / len(subjects)


def _rows_of(subjects: Subjects, rows: slice) -> Subjects:
    return Subjects(
        subjects.images[rows],
        subjects.codes[rows],
        subjects.logits[rows],
        subjects.reconstructions[rows],
        subjects.reconstruction_logits[rows],
    )


def _values(explained: Sequence[Importances]) -> Tensor:
    """Return contributions, (N, P), players in the order of their names."""
    return torch.tensor(
        [[i.contribution for i in sorted(one.of, key=lambda i: i.concept)] for one in explained]
    )


def _errors(explained: Sequence[Importances]) -> Tensor:
    return torch.tensor(
        [[i.standard_error for i in sorted(one.of, key=lambda i: i.concept)] for one in explained]
    )


def _root_mean_square(values: Tensor) -> float:
    return float(values.square().mean().sqrt())

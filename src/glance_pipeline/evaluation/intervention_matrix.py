"""What interventions really do to the generated image, measured on the image itself."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from glance_pipeline.twin.networks import Codes, TwinSurrogate

Measure = Callable[[np.ndarray], pd.DataFrame]
"""Measures context features on uint8 images (N, C, H, W): one row per image, NaN where it
cannot."""


def aligned_names(surrogate: TwinSurrogate) -> list[str]:
    """Return the names of the aligned concepts, in their order."""
    return [concept.name for concept in surrogate.concepts if concept.kind == "aligned"]


def intervention_matrix(
    surrogate: TwinSurrogate, codes: Codes, measure: Measure, delta: float
) -> pd.DataFrame:
    """Return what do(u_j ± δ) does to every measured feature, concepts × features.

    Every active concept of every image is moved up and down by δ from its own value, kept to the
    range [low, high] of the training images; an entry is the mean over images of the difference
    of the measured feature over the difference of the code, both in standard deviations.

    Args:
        surrogate: after alignment.
        codes: codes of N held-out images.
        measure: measure of the context features, by no network that took part in training.
        delta: δ, in standard deviations of the context feature.
    """
    features = aligned_names(surrogate)
    scale = np.array([surrogate.concept(name).std for name in features])
    rows = {}
    for name in surrogate.active_concepts:
        concept = surrogate.concept(name)
        own = surrogate.read(codes, name)
        sides = [(own + sign * delta).clamp(concept.low, concept.high) for sign in (1, -1)]
        measured = [
            _measure(surrogate, surrogate.intervene(codes, {name: side}), measure, features)
            for side in sides
        ]
        moved = (sides[0] - sides[1]).numpy()
        wide = moved > 1e-3
        slopes = (measured[0] - measured[1])[wide] / scale / moved[wide, None]
        rows[name] = np.nanmean(slopes, axis=0)
    return pd.DataFrame.from_dict(rows, orient="index", columns=features)


def effectiveness(
    surrogate: TwinSurrogate, codes: Codes, measure: Measure, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Return how well do(u_j = v) sets each aligned concept, measured on the generated image.

    Effectiveness (Monteiro et al. 2023, arXiv 2303.01274, §4): v is the value that the concept
    has in another image, so every target is one that occurs.

    Returns:
        ``mae``: the mean absolute error in the concept's units, over the images on which the
        feature can be measured; ``unmeasurable``: the share of those on which it cannot, since
        nothing is drawn on them.
    """
    features = aligned_names(surrogate)
    donors = torch.as_tensor(rng.permutation(len(codes)))
    errors, unmeasurable = {}, {}
    for index, name in enumerate(features):
        wanted = surrogate.read(codes, name)[donors]
        moved = surrogate.intervene(codes, {name: wanted})
        measured = _measure(surrogate, moved, measure, features)[:, index]
        error = np.abs(measured - surrogate.to_units(name, wanted).numpy())
        errors[name] = float(np.nanmean(error))
        unmeasurable[name] = float(np.isnan(error).mean())
    return {"mae": errors, "unmeasurable": unmeasurable}


def _measure(
    surrogate: TwinSurrogate, codes: Codes, measure: Measure, features: list[str]
) -> np.ndarray:
    drawn = surrogate.pictures(codes)
    return measure(drawn)[features].to_numpy(np.float64)

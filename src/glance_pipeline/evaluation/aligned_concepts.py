"""Alignment: how well each aligned concept says its context feature."""

import logging

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import r2_score

from glance_pipeline.context.table import as_levels
from glance_pipeline.twin.networks import Codes, TwinSurrogate

logger = logging.getLogger(__name__)


def alignment_r2(surrogate: TwinSurrogate, codes: Codes, context: pd.DataFrame) -> dict[str, float]:
    """Return R² of each aligned continuous concept, read by E, against its measured feature.

    Args:
        surrogate: after alignment.
        codes: codes of N held-out images.
        context: their measured features, one column for each such concept, in its units. Images
            without a value take no part.

    Returns:
        R² by feature; one with fewer than two known values has none, and the log names it.
    """
    found = {
        concept.name: surrogate.to_units(concept.name, surrogate.read(codes, concept.name))
        for concept in surrogate.concepts
        if concept.kind == "aligned" and concept.measure == "continuous"
    }
    scores = {}
    for name, values in found.items():
        measured = context[name].to_numpy(np.float64, na_value=np.nan)
        known = np.isfinite(measured)
        if known.sum() < 2:
            logger.warning("alignment: %s left out, %d known values", name, known.sum())
            continue
        scores[name] = float(r2_score(measured[known], values.double().numpy()[known]))
    return scores


def alignment_accuracy(
    surrogate: TwinSurrogate, codes: Codes, context: pd.DataFrame
) -> dict[str, float]:
    """Return the balanced accuracy of each binary and categorical feature, read by E.

    It is the mean over levels of the share of images of that level whose most probable level it
    is: 1 over the number of levels by chance.

    Args:
        surrogate: after alignment.
        codes: codes of N held-out images.
        context: their measured features, one column for each. Images without a value take no part.

    Returns:
        Accuracy by feature; one without any known value has none, and the log names it.
    """
    features = {
        concept.feature or concept.name: None
        for concept in surrogate.concepts
        if concept.measure != "continuous"
    }
    scores = {}
    for name in features:
        measured = as_levels(context[name])
        known = measured.notna().to_numpy()
        if not known.any():
            logger.warning("alignment: %s left out, no known value", name)
            continue
        probabilities = surrogate.probabilities(codes, name)
        levels = np.array(list(probabilities))
        said = levels[torch.stack(list(probabilities.values()), 1).argmax(1).numpy()]
        right = pd.Series(said[known] == measured.to_numpy()[known])
        scores[name] = float(right.groupby(measured.to_numpy()[known]).mean().mean())
    return scores

"""Alignment: how well each aligned concept says its context feature."""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from glance_pipeline.networks import Codes, TwinSurrogate


def alignment_r2(surrogate: TwinSurrogate, codes: Codes, context: pd.DataFrame) -> dict[str, float]:
    """Return R² of each aligned concept, read by E, against its measured feature.

    Args:
        surrogate: after alignment.
        codes: of N held-out images.
        context: their measured features, a column for each aligned concept, in its units.
    """
    found = {
        concept.name: surrogate.to_units(concept.name, surrogate.read(codes, concept.name))
        for concept in surrogate.concepts
        if concept.kind == "aligned"
    }
    return {
        name: float(r2_score(context[name].to_numpy(np.float64), values.double().numpy()))
        for name, values in found.items()
    }

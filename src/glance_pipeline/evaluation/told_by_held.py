"""How far what is held tells what is moved: the rest of the code gives aligned concepts away."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from glance_pipeline.twin.networks import Codes, TwinSurrogate

MOST_IMAGES = 4000
"""Training images that it takes to learn from; more hardly change what the network finds."""

_FEWEST_IMAGES = 50
"""Of either kind; of fewer it says nothing."""


def told_by_held(
    surrogate: TwinSurrogate, training: Codes, held_out: Codes, rng: np.random.Generator
) -> dict[str, float]:
    """Return the share of each aligned concept that the rest of the code tells.

    Latent concepts and residual code are held while an aligned concept is moved. They are
    uncorrelated with it, or nearly (``twin/basis/held.py``), but together they may tell it all the
    same, and the generator may then draw it from them: an intervention moves it by less than it
    says. A network of two hidden layers reads it off them here.

    Args:
        surrogate: after alignment.
        training: codes that the network learns from.
        held_out: codes that it is tried on.
        rng: draws its first weights.

    Returns:
        By concept, continuous ones alone, R² on held-out codes, at most 1; 0 is best. Empty where
        there are too few codes.
    """
    if min(len(training), len(held_out)) < _FEWEST_IMAGES:
        return {}
    state = int(rng.integers(2**31))
    learned, tried = (surrogate.rest_of(c).double().numpy() for c in (training, held_out))
    mean, scale = learned.mean(0), learned.std(0).clip(1e-6)
    found = {}
    for concept in surrogate.concepts:
        if concept.kind != "aligned" or concept.measure != "continuous":
            continue
        target, wanted = (
            surrogate.read(codes, concept.name).numpy() for codes in (training, held_out)
        )
        if np.ptp(target) == 0 or np.ptp(wanted) == 0:
            continue
        network = MLPRegressor(
            hidden_layer_sizes=(128, 64), early_stopping=True, max_iter=100, random_state=state
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it learned for long enough
            network.fit((learned - mean) / scale, target)
        found[concept.name] = float(network.score((tried - mean) / scale, wanted))
    return found

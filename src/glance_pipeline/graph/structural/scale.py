"""The scale that mechanisms work on: units, and logits for concepts that are probabilities.

Additive noise on a probability would lead out of 0 … 1.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

# A probability is never taken for certain: its logit would not be finite.
LEAST = 1e-9
# What do(0) and do(1) mean: a label's probability, σ(∓4), as everywhere (networks/concept.py).
LABEL = float(expit(-4.0))


def is_share(values: pd.Series, kind: str, unit: str) -> bool:
    """Say whether a column is a probability: an aligned concept, without unit, within 0 … 1.

    A column that reaches 0 or 1 is none: no finite code of a binary feature does, and its logit
    would not be finite.
    """
    within = values.between(0, 1, inclusive="neither").all()
    return kind == "aligned" and not unit and bool(within)


def to_scale(frame: pd.DataFrame, shares: tuple[str, ...]) -> pd.DataFrame:
    """Bring columns from units onto the scale of the mechanisms."""
    present = [name for name in shares if name in frame]
    return frame.assign(**{name: logit(frame[name].clip(LEAST, 1 - LEAST)) for name in present})


def from_scale(frame: pd.DataFrame, shares: tuple[str, ...]) -> pd.DataFrame:
    """Bring columns from the scale of the mechanisms into units."""
    present = [name for name in shares if name in frame]
    return frame.assign(**{name: expit(frame[name]) for name in present})


def set_to(values: pd.DataFrame, shares: tuple[str, ...]) -> pd.DataFrame:
    """Bring values that concepts are set to onto the scale: yes is a label's yes, no more."""
    present = [name for name in shares if name in values]
    clear = values.assign(**{name: values[name].clip(LABEL, 1 - LABEL) for name in present})
    return to_scale(clear.astype(np.float64), shares)

"""From the concept table to the edges among concepts."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # in a notebook tqdm misses widgets, which nobody asked for
    import tqdm.auto  # noqa: F401 — causal-learn imports it

"""Is the causal graph right where the truth is known, and how long does it take?

Columns are drawn from known structural models, so neither a surrogate nor a classifier takes part,
but for the verdicts. Run it from the project's root: ``python -m benchmarks.graph --help``.
"""

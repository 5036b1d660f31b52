"""Explanations of a trained run, measured on held-out images: ``python -m benchmarks.explain``."""

"""Measurements of the project that take longer than a test; each prints a table.

Run one from the project's root, for example ``python -m benchmarks.glassbox --help``.
"""

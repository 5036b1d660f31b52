"""Measuring and redrawing handwritten digits, and the structural models they are drawn from."""

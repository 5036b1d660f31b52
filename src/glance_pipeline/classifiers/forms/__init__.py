"""One reader for each form that a classifier comes in, and what keeps its files harmless."""

"""Typed parameters, one file per pipeline; unknown keys are errors before the first node runs."""

"""Objectives on derivatives of the generator with respect to the concept code."""

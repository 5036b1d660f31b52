"""Edges from concepts to predictions: measured by interventions on generated images."""

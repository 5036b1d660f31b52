"""Structural causal models of the concepts: what follows when one of them is set."""

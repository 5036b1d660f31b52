"""GLANCE pipeline: concepts, causal graph and counterfactuals of an image classifier."""

__version__ = "0.1.0"

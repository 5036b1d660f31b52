"""What depends on what: a causal graph over concepts and predictions, with the evidence."""

from glance_pipeline.causal.evidence import Estimate
from glance_pipeline.causal.graph import CausalGraph, Edge, Node

__all__ = ["CausalGraph", "Edge", "Estimate", "Node"]

"""What depends on what: a causal graph over concepts and predictions, with the evidence."""

from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import Estimate

__all__ = ["CausalGraph", "Edge", "Estimate", "Node"]

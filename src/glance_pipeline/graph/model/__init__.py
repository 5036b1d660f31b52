"""The causal graph itself: nodes, edges, evidence, and what can be said of them."""

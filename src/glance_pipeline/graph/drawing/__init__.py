"""The causal graph as a figure."""

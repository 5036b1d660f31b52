"""The twin surrogate: its networks, what they learn from, and how they are trained."""

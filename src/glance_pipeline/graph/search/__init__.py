"""From the concept table to the edges among concepts."""

"""What leaves the project: an explanation, in memory and on disk."""
